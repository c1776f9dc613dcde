"""Counting and drawing a space's distinct networks, where many archs may be one network.

A network is a path through the stages, each from its input to its output channels. Several widths may offer the same
path; so a path carries the set of widths that offer it, and the networks are the paths whose set is not empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tinynas.space.runs import Runs

Ints = NDArray[np.int64]
State = tuple[int, tuple[int, ...]]  # channels that a stage is given, widths that offer them and all before


@dataclass(frozen=True)
class Channels:
    """The channels of a space at one width, rounded."""

    stem: int
    head: int  # 0: none
    outs: tuple[tuple[int, ...], ...]  # [stage][index of its output channels]


@dataclass(frozen=True)
class Step:
    """Ways through one stage that lead to the same state."""

    cout: int
    kinds: Ints  # distinct ones
    after: State
    networks: int  # that take one of these ways


@dataclass(frozen=True)
class Draws:
    """Networks drawn: n rows."""

    widths: Ints  # (n,) the first width that offers the network
    kinds: Ints  # (n, stages)
    couts: Ints  # (n, stages) channels


class Networks:
    """All distinct networks of a space at one resolution."""

    def __init__(self, widths: Sequence[Channels], stages: Sequence[Runs]) -> None:
        self._widths = tuple(widths)
        self._stages = tuple(stages)
        self._steps: dict[tuple[int, State], tuple[Step, ...]] = {}

    @cached_property
    def _starts(self) -> tuple[State, ...]:
        groups: dict[tuple[int, int], list[int]] = {}
        for index, width in enumerate(self._widths):
            groups.setdefault((width.stem, width.head), []).append(index)
        return tuple((stem, tuple(alike)) for (stem, _), alike in groups.items())

    @property
    def count(self) -> int:
        """Number of networks, exact."""
        return sum(self._count(0, start) for start in self._starts)

    def _count(self, stage: int, state: State) -> int:
        return sum(step.networks for step in self._ways(stage, state)) if stage < len(self._stages) else 1

    def _ways(self, stage: int, state: State) -> tuple[Step, ...]:
        if (stage, state) not in self._steps:
            cin, widths = state
            offered = dict.fromkeys(cout for width in widths for cout in self._widths[width].outs[stage])
            self._steps[stage, state] = tuple(self._step(stage, cin, cout, widths) for cout in offered)
        return self._steps[stage, state]

    def _step(self, stage: int, cin: int, cout: int, widths: tuple[int, ...]) -> Step:
        after = (cout, self.narrowed(widths, stage, cout))
        kinds = self._stages[stage].ends(cin, cout).distinct
        return Step(cout, kinds, after, len(kinds) * self._count(stage + 1, after))

    def alike(self, width: int) -> tuple[int, ...]:
        """Widths with the same stem and head, ascending."""
        return next(widths for _, widths in self._starts if width in widths)

    def narrowed(self, widths: tuple[int, ...], stage: int, cout: int) -> tuple[int, ...]:
        """Those of `widths` that offer these output channels of a stage."""
        return tuple(width for width in widths if cout in self._widths[width].outs[stage])

    def draw(self, rng: np.random.Generator, count: int) -> Draws:
        """`count` networks, independent and uniform (shares in float64, so to 1e-16 of each)."""
        states: list[State] = list(self._starts)
        at = _choose(rng, [self._count(0, state) for state in states], count)
        kinds, couts = np.empty((2, count, len(self._stages)), np.int64)
        for stage in range(len(self._stages)):
            found: dict[State, int] = {}
            moved = np.empty(count, np.int64)
            for index in np.unique(at).tolist():
                rows = np.flatnonzero(at == index)
                steps = self._ways(stage, states[index])
                taken = _choose(rng, [step.networks for step in steps], len(rows))
                for k, step in enumerate(steps):
                    own = rows[taken == k]
                    kinds[own, stage] = step.kinds[rng.integers(len(step.kinds), size=len(own))]
                    couts[own, stage] = step.cout
                    moved[own] = found.setdefault(step.after, len(found))
            states, at = list(found), moved
        return Draws(np.array([widths[0] for _, widths in states], np.int64)[at], kinds, couts)


def _choose(rng: np.random.Generator, weights: Sequence[int], count: int) -> Ints:
    """`count` indices, each as likely as its weight says."""
    if len(weights) == 1:
        return np.zeros(count, np.int64)
    shares = np.array([float(weight) for weight in weights])
    return rng.choice(len(shares), size=count, p=shares / shares.sum())
