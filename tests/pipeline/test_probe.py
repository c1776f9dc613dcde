from __future__ import annotations

import numpy as np
import pytest
import torch

from tinynas.data.types import Dataset, Split
from tinynas.nets.network import Network, build_network
from tinynas.pipeline.probe import Prober, _ridge
from tinynas.space.netspec import BlockSpec, NetSpec

SPEC = NetSpec((16, 16, 1), 2, 8, 2, ((BlockSpec(8, 24, 16, 3, 2),), (BlockSpec(16, 32, 16, 3, 1),)), 24)


def split(count: int, seed: int) -> Split:
    """Class 1 has vertical stripes, class 0 horizontal ones, both under noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    stripes = np.indices((16, 16))[labels] % 4 < 2
    images = 60 * stripes + rng.integers(0, 160, stripes.shape)
    return Split(images[..., None].astype(np.uint8), labels.astype(np.int64), np.array([str(i) for i in range(count)]))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return Dataset("stripes", ("lying", "standing"), split(400, 0), split(300, 1), split(10, 2), "")


@pytest.fixture
def network() -> Network:
    return build_network(SPEC, seed=3)


@pytest.fixture(scope="module")
def prober(data: Dataset) -> Prober:
    return Prober(build_network(SPEC, seed=4), data)


def test_random_features_tell_stripes_apart_once_the_classifier_is_fitted(prober: Prober, network: Network) -> None:
    probe = prober(network)
    assert probe.accuracy > 0.95
    assert probe.zero_shot < 0.9


def test_only_the_zero_shot_accuracy_depends_on_the_classifier(prober: Prober, network: Network) -> None:
    before = prober(network)
    with torch.no_grad():
        network.head.classifier.weight.neg_()
        network.head.classifier.bias.neg_()
    after = prober(network)
    assert (after.accuracy, after.nsr) == (before.accuracy, before.nsr)
    assert after.zero_shot == pytest.approx(1 - before.zero_shot)


def test_statistics_of_other_features_are_measured_anew(prober: Prober, network: Network) -> None:
    before = prober(network)
    for norm in network.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            assert norm.running_mean is not None
            norm.running_mean += 3
    assert prober(network) == before


def test_the_reference_imitates_itself_better_than_another_network_does(data: Dataset, network: Network) -> None:
    itself, other = Prober(network, data)(network), Prober(network, data)(build_network(SPEC, seed=5))
    assert itself.nsr < 0.05 < other.nsr


def test_features_that_are_all_dead_know_the_larger_class_at_most(prober: Prober, network: Network) -> None:
    with torch.no_grad():
        for parameter in network.head.conv.parameters():  # type: ignore[union-attr]
            parameter.zero_()
    probe = prober(network)
    assert probe.accuracy == pytest.approx(0.5)
    assert probe.nsr == pytest.approx(1.0, abs=0.02)


def test_ridge_is_least_squares_with_the_penalty_as_further_rows() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 5)) * [1, 2, 3, 4, 5], rng.normal(size=(50, 2))
    centred, variance = x - x.mean(axis=0), float(x.var(axis=0).mean())
    rows = np.vstack([centred, np.sqrt(len(x) * 1e-2 * variance) * np.eye(5)])
    weights, *_ = np.linalg.lstsq(rows, np.vstack([y - y.mean(axis=0), np.zeros((5, 2))]), rcond=None)
    np.testing.assert_allclose(_ridge(x, y)(x), centred @ weights + y.mean(axis=0), atol=1e-10)
