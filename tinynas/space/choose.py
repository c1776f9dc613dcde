"""TinyNAS's choice of resolution and width (MCUNet, arXiv 2007.10319 section 3.1): no training, only memory and MACs.

Of the networks that fit the board, those of a good space compute more: a larger mean of MACs leaves more capacity.
Where few survive, that mean is noise, so spaces with too few survivors rank last (our addition).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from tinynas.errors import InfeasibleError
from tinynas.space.cost import Cost, nearest_miss
from tinynas.space.space import Arch, SearchSpace

SURVIVOR_FLOOR = 0.05  # of the samples


@dataclass(frozen=True)
class SpaceStatistics:
    """Samples of one resolution and width, and what of them fits the board."""

    resolution: int  # pixels
    width: float
    samples: int
    survivors: int
    mean_macs: float  # of the survivors; 0 if none
    top20_macs: float  # a fifth of the survivors have more; the point that the paper quotes of the CDF
    macs: tuple[int, ...]  # of the survivors, ascending: the CDF

    @property
    def survivor_fraction(self) -> float:
        return self.survivors / self.samples

    @property
    def trusted(self) -> bool:
        """Whether enough survived for the mean to tell something."""
        return self.survivors > 0 and self.survivor_fraction >= SURVIVOR_FLOOR


@dataclass(frozen=True)
class SpaceChoice:
    """The ranking, best first, and the space it recommends."""

    ranking: tuple[SpaceStatistics, ...]
    space: SearchSpace  # narrowed to the first's width and to the chosen resolutions

    @property
    def best(self) -> SpaceStatistics:
        return self.ranking[0]


def choose_space(
    space: SearchSpace,
    cost: Callable[[Arch], Cost],
    seed: int,
    *,
    samples: int = 1000,
    resolutions: int = 1,
    on_space: Callable[[SpaceStatistics], None] = lambda _: None,
) -> SpaceChoice:
    """Rank every (resolution, width) of `space`; keep the best width and its best `resolutions` resolutions.

    Every pair is sampled from the same seed, so that they are compared on alike networks.

    Raises:
        InfeasibleError: no sample of any pair fits; names the one that came nearest.
    """
    found = []
    for r, resolution in enumerate(space.resolutions):
        for w, width in enumerate(space.widths):
            costs = [cost(arch) for arch in _draw(space, (r, w), samples, seed)]
            found.append(_statistics(resolution, width, costs))
            on_space(found[-1])
    if not any(statistics.survivors for statistics in found):
        drawn = [arch for pair in _pairs(space) for arch in _draw(space, pair, samples, seed)]
        nearest = min(drawn, key=lambda arch: cost(arch).overflow)
        raise InfeasibleError(nearest_miss(space, cost, nearest, len(drawn)))
    ranking = sorted(found, key=lambda s: (s.trusted, s.mean_macs), reverse=True)
    width = ranking[0].width
    kept = [s.resolution for s in ranking if s.width == width and s.survivors][:resolutions]
    narrowed = space.with_changes(widths=(width,), resolutions=tuple(sorted(kept)))
    return SpaceChoice(tuple(ranking), narrowed)


def _pairs(space: SearchSpace) -> list[tuple[int, int]]:
    return [(r, w) for r in range(len(space.resolutions)) for w in range(len(space.widths))]


def _draw(space: SearchSpace, pair: tuple[int, int], samples: int, seed: int) -> Iterable[Arch]:
    """Archs of `space` with its resolution and width fixed to these indices."""
    r, w = pair
    part = space.with_changes(resolutions=space.resolutions[r : r + 1], widths=space.widths[w : w + 1])
    rng = np.random.default_rng(seed)
    return (space.canonical((r, w, *part.sample(rng)[2:])) for _ in range(samples))


def _statistics(resolution: int, width: float, costs: list[Cost]) -> SpaceStatistics:
    macs = sorted(cost.macs for cost in costs if cost.fits)
    mean, top20 = (float(np.mean(macs)), float(np.quantile(macs, 0.8))) if macs else (0.0, 0.0)
    return SpaceStatistics(resolution, width, len(costs), len(macs), mean, top20, tuple(macs))
