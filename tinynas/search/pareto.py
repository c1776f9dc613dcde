"""Pareto fronts and hypervolume; every objective is to be made small."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def non_dominated(points: Floats) -> NDArray[np.bool_]:
    """Which of the points (n, objectives) no other point dominates: (n,). Equal points do not dominate each other."""
    if len(points) == 0:
        return np.zeros(0, bool)
    no_worse = (points[:, None, :] <= points[None, :, :]).all(axis=2)  # [i, j]: i is nowhere worse than j
    better = (points[:, None, :] < points[None, :, :]).any(axis=2)
    dominated: NDArray[np.bool_] = np.any(no_worse & better, axis=0, keepdims=True)[0]
    return ~dominated


def hypervolume(points: Floats, reference: Sequence[float]) -> float:
    """Share of the box between the origin and `reference` that the points (n, objectives) dominate: 0 to 1.

    Objectives are non-negative (errors, microseconds, bytes). A point beyond the reference adds nothing.
    """
    from pymoo.indicators.hv import HV

    corner = np.asarray(reference, np.float64)
    inside = points[(points < corner).all(axis=1)]
    if len(inside) == 0:
        return 0.0
    return float(HV(ref_point=np.ones(len(corner)))(inside / corner))
