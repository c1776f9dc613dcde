"""TinyNAS's choice of resolution and width (MCUNet, arXiv 2007.10319 section 3.1): no training, only memory and MACs.

Of the networks that fit the board, those of a good space compute more: a larger mean of MACs leaves more capacity.
Where few survive, that mean is noise, so spaces with too few survivors rank last (our addition).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from tinynas.errors import InfeasibleError
from tinynas.space.cost import BatchCost, nearest_miss
from tinynas.space.space import Arch, Archs, SearchSpace
from tinynas.worker import end_with_parent

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
    cost: BatchCost,
    seed: int,
    *,
    samples: int = 1000,
    resolutions: int = 1,
    jobs: int = 1,
    on_space: Callable[[SpaceStatistics], None] = lambda _: None,
) -> SpaceChoice:
    """Rank every (resolution, width) of `space`; keep the best width and its best `resolutions` resolutions.

    Every pair is sampled from the same seed, so that they are compared on alike networks. `jobs` processes share the
    pairs; the result is the same for any number of them.

    Raises:
        InfeasibleError: no sample of any pair fits; names the one that came nearest.
    """
    tried: list[_Tried] = []
    for one in _all(space, cost, seed, samples, jobs):
        tried.append(one)
        on_space(one.statistics)
    if not any(one.statistics.survivors for one in tried):
        nearest = min(tried, key=lambda one: (one.overflow, one.pair)).nearest
        raise InfeasibleError(nearest_miss(space, cost, nearest, samples * len(tried)))
    found = [one.statistics for one in sorted(tried, key=lambda one: one.pair)]
    ranking = sorted(found, key=lambda s: (s.trusted, s.mean_macs), reverse=True)
    width = ranking[0].width
    kept = [s.resolution for s in ranking if s.width == width and s.survivors][:resolutions]
    narrowed = space.with_changes(widths=(width,), resolutions=tuple(sorted(kept)))
    return SpaceChoice(tuple(ranking), narrowed)


@dataclass(frozen=True)
class _Tried:
    """One pair's statistics, and the sample that came nearest to fitting."""

    pair: tuple[int, int]  # indices of resolution and width
    statistics: SpaceStatistics
    overflow: float
    nearest: Arch


def _all(space: SearchSpace, cost: BatchCost, seed: int, samples: int, jobs: int) -> Iterator[_Tried]:
    pairs = [(r, w) for r in range(len(space.resolutions)) for w in range(len(space.widths))]
    if jobs == 1:
        yield from map(partial(_try, space, cost, seed, samples), pairs)
        return
    from joblib import Parallel, delayed

    # pairs have other shapes, so processes that know nothing of each other lose next to nothing
    one = partial(_try_apart, space, cost, seed, samples)
    yield from Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(one)(pair) for pair in pairs)


def _try_apart(space: SearchSpace, cost: BatchCost, seed: int, samples: int, pair: tuple[int, int]) -> _Tried:
    """In a process of its own."""
    end_with_parent()
    return _try(space, cost, seed, samples, pair)


def _try(space: SearchSpace, cost: BatchCost, seed: int, samples: int, pair: tuple[int, int]) -> _Tried:
    archs = _draw(space, pair, samples, seed)
    costs = cost.batch(archs)
    macs = np.sort(costs.macs[costs.fits])
    mean, top20 = (float(np.mean(macs)), float(np.quantile(macs, 0.8))) if len(macs) else (0.0, 0.0)
    resolution, width = space.resolutions[pair[0]], space.widths[pair[1]]
    statistics = SpaceStatistics(resolution, width, samples, len(macs), mean, top20, tuple(macs.tolist()))
    nearest = int(costs.overflow.argmin())
    return _Tried(pair, statistics, float(costs.overflow[nearest]), tuple(archs[nearest].tolist()))


def _draw(space: SearchSpace, pair: tuple[int, int], samples: int, seed: int) -> Archs:
    """Archs of `space` with its resolution and width fixed to these indices."""
    r, w = pair
    part = space.with_changes(resolutions=space.resolutions[r : r + 1], widths=space.widths[w : w + 1])
    archs = part.samples(np.random.default_rng(seed), samples)
    archs[:, :2] = pair
    return archs
