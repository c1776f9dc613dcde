"""On a device that is not the CPU all tensors of a step are there, and results are the same.

The device is emulated, so this says nothing about CUDA's own arithmetic, autocast or pinned memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.distill import small
from tests.space.elastic_spaces import tiny_elastic
from tests.train.emulated_device import NAME, emulated
from tests.train.test_shrinking import short as short_phases
from tests.train.test_supervised import digit_spec, few, short
from tinynas.distill.build import build_library
from tinynas.nets.checkpoint import load_checkpoint, tensors_of
from tinynas.nets.elastic import ElasticNetwork
from tinynas.nets.network import build_network
from tinynas.train.shrinking import ShrinkingEpoch, shrink
from tinynas.train.shrinking_subnets import Subnets
from tinynas.train.supervised import Epoch, predict, train

Arrays = dict[str, NDArray[Any]]


class _Stopped(Exception):
    pass


def _stop(epoch: Epoch | ShrinkingEpoch) -> None:
    if epoch.number == 1:
        raise _Stopped


def taught(checkpoint: Path) -> Arrays:
    """Weights and validation logits of a training with a teacher that was stopped and went on."""
    for on_epoch in (_stop, None):
        network, teacher = build_network(digit_spec(), seed=0), build_network(digit_spec(), seed=1)
        try:
            train(
                network, few(), short(2), 0, teacher=teacher, validation=few(), on_epoch=on_epoch, checkpoint=checkpoint
            )
        except _Stopped:
            continue
    weights = tensors_of(network.state_dict(), "")
    return weights | {"logits": predict(network, few().images)}


def shrunk(checkpoint: Path) -> Arrays:
    """Weights of a supernet after every phase, stopped once, and the accuracy of one of its subnets."""
    for on_epoch in (_stop, lambda _: None):
        supernet = ElasticNetwork(tiny_elastic(), seed=0)
        try:
            shrink(supernet, few(), short_phases(1), 0, on_epoch=on_epoch, checkpoint=checkpoint)
        except _Stopped:
            continue
    spec = supernet.space.netspec(supernet.space.smallest())
    judged = Subnets(supernet, few(64).images).accuracy(spec, few())
    return tensors_of(supernet.state_dict(), "") | {"judged": np.array(judged)}


def distilled(folder: Path) -> Arrays:
    """Weights and noise-to-signal ratios of a block library."""
    build_library(small.reference(), small.space(), small.data(), small.CONFIG, 0, folder)
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


def where() -> set[str]:
    """Devices that a training step's outputs are on."""
    seen: set[str] = set()
    network = build_network(digit_spec(), seed=0)
    network.head.register_forward_hook(lambda _module, _inputs, output: seen.add(output.device.type))
    train(network, few(), short(1), 0)
    return seen


def test_the_emulation_tells_devices_apart() -> None:
    with pytest.raises(RuntimeError, match="same device"):
        emulated(mixed)
    with pytest.raises(RuntimeError, match="numpy"):
        emulated(read)
    assert emulated(where) == {NAME}


@pytest.mark.parametrize("work", [taught, shrunk, distilled])
def test_trains_the_same_there(work: Any, tmp_path: Path) -> None:
    here, there = work(tmp_path / "here.npz"), emulated(work, tmp_path / "there.npz")
    assert here.keys() == there.keys()
    assert all(np.array_equal(here[key], there[key]) for key in here)
