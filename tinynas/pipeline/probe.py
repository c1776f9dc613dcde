"""Linear probes (Alain and Bengio, arXiv 1610.01644): what a network's last features are worth as they are.

Finetuning mends above all the classifier, which has never seen the assembled blocks' features. Fitting that one layer
alone takes no training, as ridge regression has a closed form, and says more of the finetuned accuracy than the
blocks' NSR does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from tinynas.data.images import at_resolution
from tinynas.data.types import Dataset, Split
from tinynas.nets.network import Network
from tinynas.nets.norm import reestimate
from tinynas.train.augment import to_float

Floats = NDArray[np.float64]

_FITTED_IMAGES, _JUDGED_IMAGES = 1000, 2000  # of the training and the validation split at most
_NORM_IMAGES, _NORM_BATCH = 256, 64  # training images that BatchNorm is measured on
_BATCH = 250
_RIDGE = 1e-2  # in units of the features' mean variance


@dataclass(frozen=True)
class Probe:
    """What a probe found, on validation images; accuracies are fractions of 1."""

    zero_shot: float  # accuracy with the classifier as it is
    accuracy: float  # with a linear classifier fitted to the labels
    nsr: float  # of the reference's logits as a linear layer imitates them: 0 = exactly, 1 = no better than their mean


@dataclass(frozen=True)
class Prober:
    """Probes networks of one data set that shall imitate one reference."""

    reference: Network
    data: Dataset

    def __call__(self, network: Network) -> Probe:
        """Changes the BatchNorm statistics of `network`: its blocks' own are of the reference's features."""
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # twice as fast on a CPU
        images = _images(self.data.train.head(_NORM_IMAGES), network)
        reestimate(network, (to_float(batch) for batch in torch.split(images, _NORM_BATCH)))
        seen, new = _embedded(network, self._fitted), _embedded(network, self._judged)
        classes = np.eye(len(self.data.classes))[self._fitted.labels]
        as_reference = _ridge(seen, self._targets)(new)
        return Probe(
            zero_shot=_accuracy(_logits(network, new), self._judged),
            accuracy=_accuracy(_ridge(seen, classes)(new), self._judged),
            nsr=_nsr(as_reference, self._judged_targets),
        )

    @property
    def _fitted(self) -> Split:
        return self.data.train.head(_FITTED_IMAGES)

    @property
    def _judged(self) -> Split:
        return self.data.validation.head(_JUDGED_IMAGES)

    @cached_property
    def _targets(self) -> Floats:
        return _logits(self.reference, _embedded(self.reference, self._fitted))

    @cached_property
    def _judged_targets(self) -> Floats:
        return _logits(self.reference, _embedded(self.reference, self._judged))


def _images(split: Split, network: Network) -> torch.Tensor:
    return torch.from_numpy(at_resolution(split.images, network.spec.input_shape[0]))


def _embedded(network: Network, split: Split) -> Floats:
    """(n, width): what the classifier sees."""
    network.eval()
    with torch.no_grad():
        parts = [network.embed(to_float(batch)) for batch in torch.split(_images(split, network), _BATCH)]
    found: Floats = torch.cat(parts).numpy().astype(np.float64)
    return found


def _logits(network: Network, embedded: Floats) -> Floats:
    with torch.no_grad():
        found: Floats = network.head.classifier(torch.from_numpy(embedded).float()).numpy().astype(np.float64)
    return found


@dataclass(frozen=True)
class _Linear:
    weights: Floats
    means: tuple[Floats, Floats]  # of inputs and of targets

    def __call__(self, inputs: Floats) -> Floats:
        outputs: Floats = (inputs - self.means[0]) @ self.weights + self.means[1]
        return outputs


def _ridge(inputs: Floats, targets: Floats) -> _Linear:
    """Least squares of `targets` (n, k) by `inputs` (n, width), with an intercept that is not shrunk."""
    means = inputs.mean(axis=0), targets.mean(axis=0)
    centred = inputs - means[0]
    covariance = centred.T @ centred / len(inputs)
    penalty = max(_RIDGE * float(np.diag(covariance).mean()), np.finfo(np.float64).tiny)  # features may all be dead
    weights = np.linalg.solve(
        covariance + penalty * np.eye(len(covariance)), centred.T @ (targets - means[1]) / len(inputs)
    )
    return _Linear(weights, means)


def _accuracy(scores: Floats, split: Split) -> float:
    return float((scores.argmax(axis=1) == split.labels).mean())


def _nsr(found: Floats, wanted: Floats) -> float:
    """Mean over the logits of squared error / variance."""
    return float((((found - wanted) ** 2).mean(axis=0) / np.maximum(wanted.var(axis=0), 1e-12)).mean())
