from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tinynas.errors import ConfigError
from tinynas.predict.kendall import kendall_tau
from tinynas.predict.noise import noise_ceiling


def labelled(truth: NDArray[np.float64], seeds: int, images: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Networks of these true accuracies, each finetuned `seeds` times; a seed moves the accuracy by about a point."""
    moved = truth[:, None, None] + rng.normal(0, 0.01, (len(truth), seeds, 1))
    return np.asarray(rng.random((len(truth), seeds, images)) < moved)


def test_ceiling_is_what_repeated_measurements_reach() -> None:
    """Against simulation: tau between two whole measurements, and between one and the truth."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.78, 0.86, 20)
    found, between, with_truth = [], [], []
    for _ in range(8):
        once, again = (labelled(truth, 3, 3000, rng) for _ in range(2))
        found.append(noise_ceiling(once))
        means = [measured.mean(axis=(1, 2)) for measured in (once, again)]
        between.append(kendall_tau(*means))
        with_truth.append(kendall_tau(means[0], truth))
    assert np.mean([ceiling.tau for ceiling in found]) == pytest.approx(np.mean(between), abs=0.05)
    assert np.mean([ceiling.tau_of_truth for ceiling in found]) == pytest.approx(np.mean(with_truth), abs=0.05)
    assert np.mean([ceiling.seed_error or 0.0 for ceiling in found]) == pytest.approx(0.0125, abs=0.003)
    assert np.mean([ceiling.spread for ceiling in found]) == pytest.approx(truth.std(ddof=1), abs=0.004)


def test_networks_that_fail_on_the_same_images_are_told_apart_better() -> None:
    """Equal accuracies as in `alone`, but every net's errors are among the next one's."""
    rng = np.random.default_rng(1)
    truth = np.linspace(0.80, 0.84, 10)
    difficulty = rng.random(2000)
    nested = difficulty < truth[:, None, None]
    alone = np.array([rng.permutation(row[0])[None] for row in nested])
    assert noise_ceiling(nested).tau > noise_ceiling(alone).tau + 0.1


def test_one_seed_has_no_seed_error() -> None:
    found = noise_ceiling(labelled(np.linspace(0.6, 0.9, 6), 1, 500, np.random.default_rng(2)))
    assert found.seed_error is None
    assert found.tau_same_images == pytest.approx(1.0)
    assert 0 < found.tau < found.tau_of_truth < 1


def test_networks_that_are_all_alike_cannot_be_ranked() -> None:
    assert noise_ceiling(np.random.default_rng(3).random((12, 2, 400)) < 0.8).tau < 0.2


def test_too_little_is_refused() -> None:
    with pytest.raises(ConfigError, match="two networks"):
        noise_ceiling(np.ones((1, 2, 10), bool))
