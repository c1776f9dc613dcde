"""Which networks of a search are finetuned first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinynas.pipeline.stages.search import Found
from tinynas.search.pareto import non_dominated
from tinynas.space.space import Arch


def finetuning_order(found: Found, count: int) -> list[Arch]:
    """The search's front, `count` of it first that are spread along the latencies; then what the others leave.

    Where the front has too few, the measured networks that it alone dominates follow, and so on.
    """
    order: list[Arch] = []
    rest = list(found.latency_us)
    while rest:
        layer = non_dominated_of(rest, [(1 - found.predicted_accuracy[a], *found.costs[a]) for a in rest])
        layer.sort(key=found.latency_us.__getitem__)
        first = _spread(layer, max(count - len(order), 1), found)
        order += first + [arch for arch in layer if arch not in first]
        rest = [arch for arch in rest if arch not in layer]
    return order


def _spread(layer: list[Arch], count: int, found: Found) -> list[Arch]:
    """`count` of the archs, sorted by latency, as evenly apart in the logarithm of latency as there are."""
    if len(layer) <= count:
        return layer
    left = np.log([found.latency_us[arch] for arch in layer])
    picked: list[int] = []
    for target in np.linspace(left[-1], left[0], count):
        free = [i for i in range(len(layer)) if i not in picked]
        picked.append(min(free, key=lambda i: abs(float(left[i] - target))))
    return [layer[i] for i in sorted(picked)]


def non_dominated_of(archs: Sequence[Arch], points: Sequence[tuple[float, ...]]) -> list[Arch]:
    """The archs whose point (objectives, all to be made small) none of the others dominates."""
    kept = non_dominated(np.array(points))
    return [arch for arch, keep in zip(archs, kept, strict=True) if keep]
