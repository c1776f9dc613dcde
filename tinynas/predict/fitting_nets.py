"""Which networks to finetune for fitting the accuracy predictor (DONNA, arXiv 2012.08859 section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = Sequence[float] | NDArray[np.float64]


def spread(score: Floats, cost: Floats, count: int) -> list[int]:
    """Indices of `count` of the candidates: evenly along the order of `score`, and unlike each other in `cost`.

    `score` (n,) is the predicted quality before there is a predictor (the sum of NSR), `cost` (n,) the MACs. The
    candidates are cut into `count` groups of neighbouring scores; each group gives the one whose rank in cost is
    farthest from those chosen before. So a fit sees the whole range of quality, and quality apart from size, which a
    uniform draw hardly does: most networks of a space are average.
    """
    count = min(count, len(score))
    groups = np.array_split(np.argsort(score, kind="stable"), count)
    rank = np.argsort(np.argsort(cost, kind="stable"))
    chosen: list[int] = []
    for group in groups:
        chosen.append(int(max(group, key=lambda index: _distance(rank, int(index), chosen))))
    return chosen


def _distance(rank: NDArray[np.intp], index: int, chosen: Sequence[int]) -> int:
    """Ranks between a candidate and the nearest chosen one; from the middle while there is none."""
    others = rank[list(chosen)] if chosen else np.array([len(rank) // 2])
    return int(np.abs(others - rank[index]).min())
