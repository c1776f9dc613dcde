"""On a device that is not the CPU all tensors of a step are there, and results are the same.

The device is emulated, so this says nothing about CUDA's own arithmetic, autocast or pinned memory.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.modules.module import register_module_forward_hook

from tests.distill import small
from tests.space.elastic_spaces import tiny_elastic
from tests.train.emulated_device import NAME, emulated
from tests.train.test_shrinking import short as short_phases
from tests.train.test_supervised import digit_spec, few, short
from tinynas.distill.build import build_library
from tinynas.nets.checkpoint import load_checkpoint, tensors_of
from tinynas.nets.elastic import ElasticNetwork
from tinynas.nets.network import build_network
from tinynas.train.config import CPU_ONLY, HardwareConfig
from tinynas.train.shrinking import ShrinkingEpoch, shrink
from tinynas.train.shrinking_subnets import Subnets
from tinynas.train.supervised import Epoch, predict, train

Arrays = dict[str, NDArray[Any]]
Work = Callable[[HardwareConfig, Path], Arrays]


class _Stopped(Exception):
    pass


def _stop(epoch: Epoch | ShrinkingEpoch) -> None:
    if epoch.number == 1:
        raise _Stopped


def taught(hardware: HardwareConfig, folder: Path) -> Arrays:
    """Weights and validation logits of a training with a teacher that was stopped and went on."""
    for on_epoch in (_stop, None):
        network, teacher = build_network(digit_spec(), seed=0), build_network(digit_spec(), seed=1)
        try:
            train(
                network,
                few(),
                short(2),
                0,
                teacher=teacher,
                validation=few(),
                on_epoch=on_epoch,
                checkpoint=folder / "checkpoint.npz",
                hardware=hardware,
            )
        except _Stopped:
            continue
    weights = tensors_of(network.state_dict(), "")
    return weights | {"logits": predict(network, few().images, hardware=hardware)}


def shrunk(hardware: HardwareConfig, folder: Path) -> Arrays:
    """Weights of a supernet after every phase, stopped once, and the accuracy of one of its subnets."""
    for on_epoch in (_stop, lambda _: None):
        supernet = ElasticNetwork(tiny_elastic(), seed=0)
        try:
            shrink(
                supernet,
                few(),
                short_phases(1),
                0,
                on_epoch=on_epoch,
                checkpoint=folder / "checkpoint.npz",
                hardware=hardware,
            )
        except _Stopped:
            continue
    spec = supernet.space.netspec(supernet.space.smallest())
    judged = Subnets(supernet, few(64).images, hardware).accuracy(spec, few())
    return tensors_of(supernet.state_dict(), "") | {"judged": np.array(judged)}


def distilled(hardware: HardwareConfig, folder: Path) -> Arrays:
    """Weights and noise-to-signal ratios of a block library."""
    build_library(small.reference(), small.space(), small.data(), small.CONFIG, 0, folder, hardware=hardware)
    entries = [(file.name, load_checkpoint(file)) for file in sorted(folder.rglob("*.npz"))]
    return {
        f"{name}/{key}": value
        for name, entry in entries
        for key, value in entry.items()
        if key not in ("train_s", "identity")
    }


def mixed() -> None:
    torch.ones(2).to(NAME) + torch.ones(2)


def read() -> NDArray[Any]:
    array: NDArray[Any] = torch.ones(2).to(NAME).numpy()
    return array


def devices(work: Work, folder: Path) -> set[str]:
    """That layers computed on, in `work` on the device that "auto" takes."""
    seen: set[str] = set()
    register_module_forward_hook(lambda _module, _inputs, output: seen.add(output.device.type))
    work(HardwareConfig(), folder)
    return seen


def test_the_emulation_tells_devices_apart() -> None:
    with pytest.raises(RuntimeError, match="same device"):
        emulated(mixed)
    with pytest.raises(RuntimeError, match="numpy"):
        emulated(read)


@pytest.mark.parametrize(("work", "on"), [(taught, {NAME}), (shrunk, {NAME}), (distilled, {NAME, "cpu"})])
def test_work_is_done_there(work: Work, on: set[str], tmp_path: Path) -> None:
    """The library's reference is trained here and has its features computed on the CPU."""
    assert emulated(devices, work, tmp_path) == on


@pytest.mark.parametrize("work", [taught, shrunk, distilled])
def test_results_are_the_same_there(work: Work, tmp_path: Path) -> None:
    here, there = (tmp_path / name for name in ("here", "there"))
    expected, found = work(CPU_ONLY, here), emulated(work, HardwareConfig(), there)
    assert expected.keys() == found.keys()
    assert all(np.array_equal(expected[key], found[key]) for key in expected)
