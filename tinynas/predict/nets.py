"""Finetuned networks as the accuracy predictor sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import ConfigError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Nets:
    """What the predictor sees of networks, and what it shall predict."""

    nsr: Floats  # (n, stages), unit-free; validation NSR of each stage's library block
    accuracy: Floats  # (n,), fractions of 1 on the validation split; a mean where there are several finetunings
    resolution: NDArray[np.int64] | None = None  # (n,) index into the space's resolutions; None: all equal
    baselines: Mapping[str, Floats] = field(default_factory=dict)  # name -> (n,) scores, larger = better
    gains: Mapping[str, Floats] = field(default_factory=dict)  # name -> (n, k) further features, larger = better

    def __post_init__(self) -> None:
        features = [self.nsr, self.accuracy, *self.gains.values()]
        columns = [self.accuracy, self.resolutions, *self.baselines.values(), *self.gains.values()]
        if self.nsr.ndim != 2 or any(len(column) != len(self.nsr) for column in columns):
            raise ConfigError("accuracy, resolution, gains and every baseline need one entry per row of nsr")
        if any(values.ndim != 2 for values in self.gains.values()):
            raise ConfigError("every gain needs two dimensions: networks and numbers of each")
        if not all(np.isfinite(column).all() for column in features):
            raise ConfigError("nsr, gains and accuracy must be finite; leave out or redo a finetuning that diverged")

    def __len__(self) -> int:
        return len(self.nsr)

    @property
    def resolutions(self) -> NDArray[np.int64]:
        return np.zeros(len(self.nsr), np.int64) if self.resolution is None else self.resolution

    def rows(self, keep: NDArray[np.bool_]) -> Nets:
        """Some of the networks."""
        baselines = {name: scores[keep] for name, scores in self.baselines.items()}
        gains = {name: values[keep] for name, values in self.gains.items()}
        return Nets(self.nsr[keep], self.accuracy[keep], self.resolutions[keep], baselines, gains)
