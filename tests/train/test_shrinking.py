"""Progressive shrinking trains every subnet, is fixed by its seed, and continues after being killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.space.elastic_spaces import tiny_elastic
from tests.train.test_supervised import digit_data, few
from tinynas.data.config import DataConfig
from tinynas.data.digits import digits
from tinynas.errors import ConfigError
from tinynas.nets.elastic import ElasticNetwork, load_supernet
from tinynas.space.netspec import NetSpec
from tinynas.train.augment import resized, to_float
from tinynas.train.config import AugmentConfig, HardwareConfig
from tinynas.train.shrinking import ShrinkingEpoch, shrink
from tinynas.train.shrinking_config import PhaseConfig, ShrinkingConfig
from tinynas.train.shrinking_job import Row, SupernetJob, read_rows
from tinynas.train.shrinking_ranks import Ranks
from tinynas.train.supervised import accuracy

torch.set_num_threads(1)
ROOT = Path(__file__).parents[2]


def short(epochs: int = 1, **changes: object) -> ShrinkingConfig:
    """As many epochs of every phase."""
    settings = {
        name: PhaseConfig(epochs=epochs, lr=4e-3, subnets=subnets)
        for name, subnets in (("largest", 1), ("kernel", 1), ("depth_1", 1), ("depth_2", 2), ("width_1", 2))
    }
    settings["width_2"] = PhaseConfig(epochs=epochs, lr=4e-3, subnets=3)
    return ShrinkingConfig.model_validate(settings | changes)


def same_weights(a: ElasticNetwork, b: ElasticNetwork) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))


@cache
def trained() -> tuple[ElasticNetwork, list[ShrinkingEpoch]]:
    """On digits, by all phases."""
    supernet = ElasticNetwork(tiny_elastic(), seed=0)
    config = short(1, largest=PhaseConfig(epochs=4, lr=8e-3), augment=AugmentConfig(mirror=False))
    seen: list[ShrinkingEpoch] = []
    shrink(supernet, digit_data().train, config, 0, on_epoch=seen.append)
    return supernet, seen


def calibration(side: int) -> list[Tensor]:
    return [resized(to_float(torch.from_numpy(digit_data().train.images[:256])), side)]


def test_every_subnet_learns() -> None:
    """Random subnets, extracted and never trained on their own, know the digits; so does the smallest."""
    supernet, seen = trained()
    assert [epoch.number for epoch in seen] == list(range(1, 10))
    assert [epoch.phase for epoch in seen[3:6]] == ["largest", "kernel", "depth_1"]
    space, rng = supernet.space, np.random.default_rng(0)
    for arch in (space.largest(), space.smallest(), *(space.sample(rng) for _ in range(3))):
        spec = space.netspec(arch)
        network = supernet.extract(spec, calibration(spec.input_shape[0]))
        assert accuracy(network, digit_data().validation) > 0.7, space.label(arch)


def test_without_reestimation_a_subnet_knows_nothing() -> None:
    """The pitfall that `extract` is there for (once-for-all issue 8)."""
    supernet, _ = trained()
    spec = supernet.space.netspec(supernet.space.smallest())
    right = supernet.extract(spec, calibration(spec.input_shape[0]))
    wrong = supernet.uncalibrated(spec).eval()
    assert accuracy(right, digit_data().validation) > accuracy(wrong, digit_data().validation) + 0.3


def test_one_seed_one_result() -> None:
    supernets = [ElasticNetwork(tiny_elastic(), seed=0) for _ in range(3)]
    for supernet, seed in zip(supernets, (1, 1, 2), strict=True):
        shrink(supernet, few(64), short(), seed)
    assert same_weights(supernets[0], supernets[1])
    assert not same_weights(supernets[0], supernets[2])


@pytest.mark.parametrize("after", [1, 3, 9])  # in the first phase, in the second, before the first sorting
def test_resumes_to_the_same_weights(tmp_path: Path, after: int) -> None:
    """Interrupted after some epoch, then started afresh from other weights."""
    whole, broken, resumed = (ElasticNetwork(tiny_elastic(), seed) for seed in (0, 0, 9))
    shrink(whole, few(64), short(2), seed=0)
    path = tmp_path / "shrinking.npz"

    def stop(epoch: ShrinkingEpoch) -> None:
        if epoch.number == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shrink(broken, few(64), short(2), seed=0, on_epoch=stop, checkpoint=path)
    seen: list[int] = []
    shrink(resumed, few(64), short(2), seed=0, on_epoch=lambda e: seen.append(e.number), checkpoint=path)
    assert seen == list(range(after + 1, 13))
    assert same_weights(whole, resumed)


_VICTIM = """
import sys
from pathlib import Path
import torch
from tests.space.elastic_spaces import tiny_elastic
from tests.train.test_shrinking import few, short
from tinynas.nets.elastic import ElasticNetwork
from tinynas.train.shrinking import shrink
torch.set_num_threads(1)
shrink(ElasticNetwork(tiny_elastic(), 0), few(64), short(9), seed=0, checkpoint=Path(sys.argv[1]),
       on_epoch=lambda e: print(e.number, flush=True))
"""


def test_survives_kill(tmp_path: Path) -> None:
    """kill -9 at whatever point: the checkpoint is whole and at most one epoch behind; it holds plain tensors."""
    path = tmp_path / "shrinking.npz"
    command = [sys.executable, "-c", _VICTIM, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as victim:
        assert victim.stdout is not None
        done = [int(victim.stdout.readline()) for _ in range(12)]
        os.kill(victim.pid, signal.SIGKILL)
        done += [int(line) for line in victim.stdout]
    with np.load(path, allow_pickle=False) as stored:
        place, epoch = stored["place"]
    assert done[-1] <= 9 * place + epoch <= done[-1] + 1


def test_refuses_the_checkpoint_of_another_training(tmp_path: Path) -> None:
    path = tmp_path / "shrinking.npz"
    config = short(0, largest=PhaseConfig(epochs=1, lr=1e-3))
    shrink(ElasticNetwork(tiny_elastic(), 0), few(64), config, seed=0, checkpoint=path)
    with pytest.raises(ConfigError, match=r"shrinking\.npz"):
        shrink(ElasticNetwork(tiny_elastic(), 0), few(64), config, seed=1, checkpoint=path)


@pytest.mark.parametrize("sandwich", [True, False])
def test_sandwich_trains_the_extremes_at_every_step(sandwich: bool) -> None:
    """Of each step's three subnets the first is the largest and the last the smallest, all at the step's resolution."""
    supernet = ElasticNetwork(tiny_elastic(), seed=0)
    trained: list[NetSpec] = []
    supernet.register_forward_pre_hook(lambda _, inputs: trained.append(inputs[1]))
    last = PhaseConfig(epochs=2, lr=1e-3, subnets=3)
    config = short(0, largest=PhaseConfig(epochs=1, lr=1e-3), width_2=last, sandwich=sandwich)
    shrink(supernet, few(128), config, 0)
    space = supernet.space
    steps = [trained[at : at + 3] for at in range(4, len(trained), 3)]  # after the four of the first phase
    assert len(steps) == 8
    assert all(len({spec.input_shape for spec in step}) == 1 for step in steps)
    extremes = [
        (step[0].stages, step[2].stages)
        == (space.netspec(space.largest()).stages, space.netspec(space.smallest()).stages)
        for step in steps
    ]
    assert all(extremes) if sandwich else not any(extremes)


@dataclass(frozen=True)
class Threads(Ranks):
    """Two ranks in one process: the mean of two written out."""

    meeting: threading.Barrier = field(default_factory=lambda: threading.Barrier(2))
    given: dict[int, list[Tensor]] = field(default_factory=dict)

    def average(self, values: Iterable[Tensor]) -> None:
        mine = list(values)
        self.given[self.rank] = [value.clone() for value in mine]
        self.meeting.wait()
        for value, first, second in zip(mine, self.given[0], self.given[1], strict=True):
            value.copy_((first + second) / 2)
        self.meeting.wait()

    def wait(self) -> None:
        self.meeting.wait()

    def require_equal(self, values: Iterable[Tensor]) -> None: ...


def test_two_processes_of_torchrun(tmp_path: Path) -> None:
    """Their weights are equal (each checks it), and those of two ranks that average each step's gradients by hand."""
    data = DataConfig(dataset="digits", kind="digits", train_images=64)
    job = SupernetJob(
        space=tiny_elastic(),
        data=data,
        training=short(),
        hardware=HardwareConfig(device="cpu"),
        seed=0,
        half=False,
        threads=1,
    )
    rows: list[Row] = []
    job.run_in(2, tmp_path, rows.append)
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows == read_rows(tmp_path / "epochs.jsonl")

    meeting, given = threading.Barrier(2), dict[int, list[Tensor]]()
    supernets = [ElasticNetwork(tiny_elastic(), seed=0) for _ in range(2)]
    ranks = [Threads(rank, 2, meeting, given) for rank in range(2)]
    train = digits(data).train
    threads = [
        threading.Thread(target=shrink, args=(net, train, short(), 0), kwargs={"ranks": own})
        for net, own in zip(supernets, ranks, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same_weights(*supernets)
    assert same_weights(load_supernet(tmp_path / "supernet.npz"), supernets[0])


def test_batches_that_cannot_be_shared_are_refused() -> None:
    with pytest.raises(ConfigError, match="32 images cannot be shared evenly by 3 processes"):
        shrink(ElasticNetwork(tiny_elastic(), 0), few(64), short(), seed=0, ranks=Ranks(0, 3))
