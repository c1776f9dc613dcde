"""Training learns, is fixed by its seed, and continues after being killed as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from tinynas.data.config import DataConfig
from tinynas.data.digits import digits
from tinynas.data.types import Dataset, Split
from tinynas.errors import ConfigError
from tinynas.nets.network import Network, build_network
from tinynas.space.mobilenet import inverted_residuals
from tinynas.space.netspec import NetSpec
from tinynas.train.config import AugmentConfig, TrainConfig
from tinynas.train.supervised import Epoch, accuracy, predict, soft_cross_entropy, train

torch.set_num_threads(1)


def digit_spec(side: int = 16) -> NetSpec:
    stages = (
        inverted_residuals(8, 16, 2, depth=1, kernel=3, expand_ratio=2.0),
        inverted_residuals(16, 24, 2, depth=1, kernel=3, expand_ratio=2.0),
    )
    return NetSpec((side, side, 1), 10, 8, 1, stages, 32)


@cache
def digit_data() -> Dataset:
    return digits(DataConfig(dataset="digits", kind="digits"))


def same_weights(a: Network, b: Network) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def short(epochs: int = 2) -> TrainConfig:
    return TrainConfig(epochs=epochs, batch_size=32, lr=8e-3)


def few(n: int = 160) -> Split:
    return digit_data().train.head(n)


def test_learns_digits() -> None:
    network = build_network(digit_spec(), seed=0)
    seen: list[Epoch] = []
    config = TrainConfig(epochs=6, batch_size=32, lr=8e-3, label_smoothing=0.05, augment=AugmentConfig(mirror=False))
    train(network, digit_data().train, config, seed=0, validation=digit_data().validation, on_epoch=seen.append)
    assert accuracy(network, digit_data().test) > 0.85
    assert [epoch.number for epoch in seen] == [1, 2, 3, 4, 5, 6]
    assert seen[-1].loss < seen[0].loss
    assert seen[-1].accuracy == accuracy(network, digit_data().validation)


def test_one_seed_one_result() -> None:
    networks = [build_network(digit_spec(), seed=0) for _ in range(3)]
    for network, seed in zip(networks, (1, 1, 2), strict=True):
        train(network, few(), short(), seed)
    assert same_weights(networks[0], networks[1])
    assert not same_weights(networks[0], networks[2])


def test_resumes_to_the_same_weights(tmp_path: Path) -> None:
    """Interrupted after epoch 2 of 4 by an exception from the callback, then started afresh."""
    whole, broken, resumed = (build_network(digit_spec(), seed) for seed in (0, 0, 9))
    train(whole, few(), short(4), seed=0)
    path = tmp_path / "train.npz"

    def stop(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(broken, few(), short(4), seed=0, on_epoch=stop, checkpoint=path)
    seen: list[int] = []
    train(resumed, few(), short(4), seed=0, on_epoch=lambda e: seen.append(e.number), checkpoint=path)
    assert seen == [3, 4]
    assert same_weights(whole, resumed)


_VICTIM = """
import sys
from pathlib import Path
import torch
from tests.train.test_supervised import digit_spec, few, short
from tinynas.nets.network import build_network
from tinynas.train.config import AugmentConfig, TrainConfig
from tinynas.train.supervised import train
torch.set_num_threads(1)
train(build_network(digit_spec(), 0), few(), short(50), seed=0, checkpoint=Path(sys.argv[1]),
      on_epoch=lambda e: print(e.number, flush=True))
"""


def test_survives_kill(tmp_path: Path) -> None:
    """kill -9 at whatever point: the checkpoint is whole and at most one epoch behind."""
    path = tmp_path / "train.npz"
    command = [sys.executable, "-c", _VICTIM, str(path)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as victim:
        assert victim.stdout is not None
        done = [int(victim.stdout.readline()) for _ in range(3)]
        os.kill(victim.pid, signal.SIGKILL)
        done += [int(line) for line in victim.stdout]
    with np.load(path, allow_pickle=False) as stored:
        assert done[-1] <= int(stored["epoch"]) <= done[-1] + 1


def test_refuses_the_checkpoint_of_another_training(tmp_path: Path) -> None:
    path = tmp_path / "train.npz"
    train(build_network(digit_spec(), 0), few(64), short(1), seed=0, checkpoint=path)
    with pytest.raises(ConfigError, match=r"train\.npz"):
        train(build_network(digit_spec(), 0), few(64), short(1), seed=1, checkpoint=path)


def test_teacher_pulls_the_student_towards_its_answers() -> None:
    """With soft targets alone and labels that are noise, the student learns what the teacher knows."""
    teacher = build_network(digit_spec(), seed=0)
    plain = AugmentConfig(mirror=False)
    train(teacher, digit_data().train, TrainConfig(epochs=4, batch_size=32, lr=8e-3, augment=plain), seed=0)
    shuffled = np.random.default_rng(0).permutation(digit_data().train.labels)
    noise = Split(digit_data().train.images, shuffled, digit_data().train.sources)
    student = build_network(digit_spec(8), seed=1)  # at half the teacher's resolution
    config = TrainConfig(epochs=4, batch_size=32, lr=8e-3, soft_weight=1.0, augment=plain)
    train(student, noise, config, seed=0, teacher=teacher)
    assert accuracy(student, digit_data().validation) > 0.5


def test_soft_cross_entropy_is_least_at_the_target() -> None:
    target = torch.tensor([[2.0, -1.0, 0.5]])
    losses = [float(soft_cross_entropy(logits, target, 2.0)) for logits in (target, target.flip(1), torch.zeros(1, 3))]
    assert min(losses) == losses[0]


def test_predict_sees_images_at_the_network_s_resolution() -> None:
    network = build_network(digit_spec(8), seed=0)
    images = digit_data().validation.images
    assert predict(network, images).shape == (len(images), 10)
    batched = predict(network, images[:7], batch_size=3)
    np.testing.assert_allclose(batched, predict(network, images[:7]), atol=1e-5)
