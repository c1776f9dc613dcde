"""The noise-to-signal ratio is unit-free: 0 for a copy, 1 for the mean, whatever the channels' scales."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tinynas.distill.nsr import channel_variance, noise_to_signal


def features(scales: tuple[float, ...] = (0.1, 1.0, 30.0)) -> np.ndarray[tuple[int, ...], np.dtype[np.float16]]:
    """(n, h, w, c)"""
    rng = np.random.default_rng(0)
    values = rng.normal(2.0, 1.0, (40, 6, 5, len(scales))) * np.array(scales)
    return np.asarray(values, np.float16)


def nchw(values: np.ndarray[tuple[int, ...], np.dtype[np.float16]]) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32)).permute(0, 3, 1, 2)


def test_copy_is_zero_and_mean_is_one() -> None:
    target = nchw(features((0.3, 1.0, 2.0)))
    variance = torch.from_numpy(channel_variance(features((0.3, 1.0, 2.0)), chunk=7))
    assert noise_to_signal(target, target, variance) == 0
    mean = target.mean((0, 2, 3), keepdim=True).expand_as(target)
    assert float(noise_to_signal(mean, target, variance)) == pytest.approx(1, abs=1e-3)


def test_variance_is_that_of_numpy_but_for_the_floor() -> None:
    values = features()
    plain = values.astype(np.float64).var((0, 1, 2))
    floored = channel_variance(values)
    np.testing.assert_allclose(floored[2], plain[2], rtol=1e-3)
    np.testing.assert_allclose(floored[0], 0.01 * plain.mean(), rtol=1e-3)


def test_a_dead_channel_does_not_blow_up() -> None:
    dead = features((0.0, 1.0))
    variance = torch.from_numpy(channel_variance(dead))
    assert float(noise_to_signal(nchw(dead) + 0.01, nchw(dead), variance)) < 0.02
    nothing = torch.from_numpy(channel_variance(features((0.0, 0.0))))
    assert torch.isfinite(nothing).all() and (nothing > 0).all()
