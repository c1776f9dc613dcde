"""DONNA's per-channel noise-to-signal ratio (arXiv 2012.08859, section 3.2)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_FLOOR = 1e-2  # of the mean variance: a channel that hardly moves would else drown all others
_LEAST = 1e-8


def channel_variance(features: NDArray[np.float16], chunk: int = 256) -> NDArray[np.float32]:
    """Variance of each channel of (n, h, w, c) over everything else, floored at 1 % of the channels' mean: (c,)."""
    count, total, squares = 0, 0.0, 0.0
    for start in range(0, len(features), chunk):
        part = features[start : start + chunk].astype(np.float64).reshape(-1, features.shape[3])
        count, total, squares = count + len(part), total + part.sum(0), squares + (part**2).sum(0)
    variance = np.asarray(squares / count - (total / count) ** 2)
    floor = max(_FLOOR * float(variance.mean()), _LEAST)
    floored: NDArray[np.float32] = np.maximum(variance, floor).astype(np.float32)
    return floored


def noise_to_signal(student: Tensor, teacher: Tensor, variance: Tensor) -> Tensor:
    """Mean over channels of the mean squared error over batch and space, in units of the teacher channel's variance.

    student, teacher (n, c, h, w), variance (c,); a scalar: 0 for a perfect copy, 1 for predicting each channel's mean.
    """
    error = (student - teacher).square().mean((0, 2, 3))
    return torch.mean(error / variance)
