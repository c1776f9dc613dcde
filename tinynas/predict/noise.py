"""How well any predictor could rank finetuned networks, given how noisily their accuracies are known.

An accuracy is measured on finitely many validation images, of a network whose finetuning depends on its seed. Two
networks whose true accuracies differ by d, measured with a standard error of s for their difference, come out in the
right order with probability q = Phi(d / s). So a predictor that knows the truth reaches an expected Kendall tau of
mean(2 q - 1) over pairs, and a second, independent measurement of the same networks one of mean((2 q - 1)^2).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from tinynas.errors import ConfigError
from tinynas.predict.nets import Floats


class Ceiling(BaseModel, frozen=True, extra="forbid"):
    """What noise leaves of Kendall's tau."""

    tau: float  # expected between two independent measurements of the same networks: other seeds, other images
    tau_same_images: float  # the same with other seeds only: what repeating the finetunings would give
    tau_of_truth: float  # expected of a predictor that knows the true accuracies
    seed_error: float | None  # standard deviation over finetuning seeds of one accuracy; None: one seed only
    image_error: float  # standard error of one accuracy for the number of validation images
    spread: float  # standard deviation of the networks' true accuracies, estimated
    seeds: int  # finetunings of each network
    images: int  # of the validation split


def noise_ceiling(correct: NDArray[np.bool_]) -> Ceiling:
    """Of networks that label images right or wrong: (n, seeds, images), all the same images.

    Since networks share images, and mostly fail on the same ones, the images' part of a difference is taken from the
    differences image by image. The true accuracies are taken as the measured means, drawn together until their
    variance is what the noise leaves.

    Raises:
        ConfigError: fewer than two networks, or no images.
    """
    n, seeds, images = correct.shape
    if n < 2 or not seeds or not images:
        raise ConfigError(f"a noise ceiling needs two networks, a seed and some images, found {correct.shape}")
    by_seed = correct.mean(axis=2)
    mean = by_seed.mean(axis=1)
    seed_variance = float(by_seed.var(axis=1, ddof=1).mean()) if seeds > 1 else 0.0
    first, second = np.triu_indices(n, 1)
    from_images = _paired_variance(correct.mean(axis=1), first, second)
    from_seeds = np.full(len(first), 2 * seed_variance / seeds)
    spread = math.sqrt(max(float(mean.var(ddof=1)) - float((from_seeds + from_images).mean()) / 2, 0.0))
    truth = mean * spread / max(float(mean.std(ddof=1)), 1e-30)
    gaps = np.abs(truth[first] - truth[second])
    kept, kept_here = _order_kept(gaps, from_seeds + from_images), _order_kept(gaps, from_seeds)
    return Ceiling(
        tau=float(np.mean(kept**2)),
        tau_same_images=float(np.mean(kept_here**2)),
        tau_of_truth=float(np.mean(kept)),
        seed_error=math.sqrt(seed_variance) if seeds > 1 else None,
        image_error=math.sqrt(float((by_seed * (1 - by_seed)).mean()) / images),
        spread=spread,
        seeds=seeds,
        images=images,
    )


def _paired_variance(shares: Floats, first: NDArray[np.intp], second: NDArray[np.intp]) -> Floats:
    """Variance of the difference of two networks' accuracies for the draw of the images; shares (n, images)."""
    covariance = np.atleast_2d(np.cov(shares)) / shares.shape[1]
    own = np.diag(covariance)
    variance: Floats = np.maximum(own[first] + own[second] - 2 * covariance[first, second], 0.0)
    return variance


def _order_kept(gaps: Floats, variance: Floats) -> Floats:
    """2 Phi(gap / standard error) - 1."""
    return np.array(
        [
            math.erf(gap / math.sqrt(2 * noise)) if noise > 0 else float(gap > 0)
            for gap, noise in zip(gaps, variance, strict=True)
        ]
    )
