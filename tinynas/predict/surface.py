"""The accuracy predictor's formula: linear and second-order in the blocks' NSR, plus a few further features."""

from __future__ import annotations

from collections.abc import Sequence

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
    weights: dict[str, tuple[float, ...]] = {}  # of each gain's numbers, >= 0

    @property
    def needs(self) -> tuple[str, ...]:
        """Gains that `at` has to be given."""
        return tuple(name for name, weights in self.weights.items() if any(weights))

    def at(self, nets: Nets) -> Floats:
        """(n,) accuracies, not clipped; of `nets` only features are used."""
        value: Floats = self.intercept + np.array(self.offsets)[nets.resolutions] - nets.nsr @ np.array(self.slopes)
        if self.limits:
            part = np.minimum(nets.nsr / np.array(self.limits), 1.0)
            value = value - part @ np.array(self.bends)
            value = value - np.einsum("ni,ij,nj->n", part, np.array(self.interactions), part)
        for name in self.needs:
            value = value + nets.gains[name] @ np.array(self.weights[name])
        return value


def average(surfaces: Sequence[Surface], weights: Sequence[float]) -> Surface:
    """The formula of the weighted mean of what these give; weights sum to 1, all limits that there are agree."""
    stages, share = len(surfaces[0].slopes), np.array(weights)
    limits = next((surface.limits for surface in surfaces if surface.limits), ())
    nothing = (0.0,) * stages
    gains = {name: len(each) for surface in surfaces for name, each in surface.weights.items()}
    return Surface(
        intercept=float(share @ [surface.intercept for surface in surfaces]),
        offsets=_mean(share, [surface.offsets for surface in surfaces]),
        slopes=_mean(share, [surface.slopes for surface in surfaces]),
        limits=limits,
        bends=_mean(share, [surface.bends or nothing for surface in surfaces]) if limits else (),
        interactions=tuple(
            _mean(share, [surface.interactions[row] if surface.limits else nothing for surface in surfaces])
            for row in range(stages if limits else 0)
        ),
        weights={
            name: _mean(share, [surface.weights.get(name, (0.0,) * size) for surface in surfaces])
            for name, size in gains.items()
        },
    )


def _mean(share: Floats, rows: Sequence[Sequence[float]]) -> tuple[float, ...]:
    return tuple((share @ np.array(rows)).tolist())
