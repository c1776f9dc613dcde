"""How well any predictor could rank finetuned networks, given how noisily their accuracies are known.

An accuracy is measured on finitely many validation images, of a network whose finetuning depends on its seed. Two
networks whose true accuracies differ by d, measured with a standard error of s for their difference, come out in the
right order with probability q = Phi(d / s). So a predictor that knows the truth reaches an expected Kendall tau of
mean(2 q - 1) over pairs, and a second, independent measurement of the same networks one of mean((2 q - 1)^2).
"""

from __future__ import annotations

import math

import numpy as np
from pydantic import BaseModel

from tinynas.errors import ConfigError
from tinynas.predict.nets import Floats


class Ceiling(BaseModel, frozen=True, extra="forbid"):
    """What noise leaves of Kendall's tau."""

    tau: float  # expected between two independent measurements of the same networks
    tau_of_truth: float  # expected of a predictor that knows the true accuracies
    seed_error: float | None  # standard deviation over finetuning seeds of one accuracy; None: one seed only
    image_error: float  # standard error of one accuracy for the number of validation images
    spread: float  # standard deviation of the networks' true accuracies, estimated
    seeds: int  # finetunings of each network
    images: int  # of the validation split


def noise_ceiling(accuracies: Floats, images: int) -> Ceiling:
    """Of networks with accuracies (n, seeds), fractions of 1, each on the same `images`.

    The images' part is the binomial standard error, as if every measurement had its own images. All networks share
    theirs, so differences are known somewhat better than that, and the ceiling is rather too low than too high. The
    true accuracies are taken as the measured means, drawn together until their variance is what the noise leaves.

    Raises:
        ConfigError: fewer than two networks, or no images.
    """
    n, seeds = accuracies.shape
    if n < 2 or images < 1:
        raise ConfigError(f"a noise ceiling needs two networks and some images, found {n} and {images}")
    mean = accuracies.mean(axis=1)
    seed_variance = float(accuracies.var(axis=1, ddof=1).mean()) if seeds > 1 else 0.0
    image_variance = float((mean * (1 - mean)).mean()) / images
    noise = seed_variance / seeds + image_variance
    true_variance = max(float(mean.var(ddof=1)) - noise, 0.0)
    truth = mean * math.sqrt(true_variance / max(float(mean.var(ddof=1)), 1e-30))
    agreement = _order_kept(truth, math.sqrt(2 * noise))
    return Ceiling(
        tau=float(np.mean(agreement**2)),
        tau_of_truth=float(np.mean(agreement)),
        seed_error=math.sqrt(seed_variance) if seeds > 1 else None,
        image_error=math.sqrt(image_variance),
        spread=math.sqrt(true_variance),
        seeds=seeds,
        images=images,
    )


def _order_kept(truth: Floats, error: float) -> Floats:
    """2 Phi(d / error) - 1 for every pair of networks."""
    first, second = np.triu_indices(len(truth), 1)
    gaps = np.abs(truth[first] - truth[second])
    return np.array([math.erf(gap / (error * math.sqrt(2))) if error else float(gap > 0) for gap in gaps])
