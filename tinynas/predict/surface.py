"""The accuracy predictor's formula: linear and second-order in the blocks' NSR, plus a few further features."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel

from tinynas.predict.nets import Floats, Nets


class Surface(BaseModel, frozen=True, extra="forbid"):
    """accuracy = intercept + offsets[resolution] - slopes . P - bends . p - p' B p + sum of weights * gains.

    P are the NSR of a network's blocks and p = min(P / limits, 1). Signs are such that accuracy never rises with P.
    """

    intercept: float
    offsets: tuple[float, ...]  # one per resolution
    slopes: tuple[float, ...]  # one per stage, >= 0: accuracy lost per unit of NSR
    limits: tuple[float, ...] = ()  # largest NSR per stage of the fitted networks; (): no second order
    bends: tuple[float, ...] = ()  # one per stage
    interactions: tuple[tuple[float, ...], ...] = ()  # B, symmetric
    weights: dict[str, float] = {}  # of each gain, >= 0

    @property
    def needs(self) -> tuple[str, ...]:
        """Gains that `at` has to be given."""
        return tuple(name for name, weight in self.weights.items() if weight > 0)

    def at(self, nets: Nets) -> Floats:
        """(n,) accuracies, not clipped; of `nets` only features are used."""
        value: Floats = self.intercept + np.array(self.offsets)[nets.resolutions] - nets.nsr @ np.array(self.slopes)
        if self.limits:
            part = np.minimum(nets.nsr / np.array(self.limits), 1.0)
            value = value - part @ np.array(self.bends)
            value = value - np.einsum("ni,ij,nj->n", part, np.array(self.interactions), part)
        for name in self.needs:
            value = value + self.weights[name] * nets.gains[name]
        return value
