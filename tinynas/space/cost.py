"""Exact memory and MACs of an arch before it is built: lowered without weights, planned, and fitted to the board."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, PositiveInt

from tinynas.errors import InfeasibleError
from tinynas.graph.lower import lower
from tinynas.lab.board import Board
from tinynas.plan.fit import RuntimeSize, fit
from tinynas.plan.planner import plan
from tinynas.space.many_costs import NetworkTable
from tinynas.space.netspec import NetSpec
from tinynas.space.protocol import Space
from tinynas.space.space import Arch, Archs

Ints = NDArray[np.int64]


class Budget(BaseModel, frozen=True, extra="forbid"):
    """The `[budget]` table of an experiment: what a network may take of the board, where that is less than all."""

    sram_bytes: PositiveInt | None = None  # arena + stack + statics + the runner's own
    flash_bytes: PositiveInt | None = None  # whole image, runner included


WHOLE_BOARD = Budget()


@dataclass(frozen=True)
class Cost:
    """What a network takes of a board."""

    arena_bytes: int
    sram_bytes: int  # arena + stack + statics + the runner's own
    flash_bytes: int  # whole image, predicted from measured code sizes
    macs: int
    parameters: int  # weights and biases
    sram_limit_bytes: int
    flash_limit_bytes: int

    @property
    def overflow(self) -> float:
        """0 if it fits, else the larger overflow as a fraction of its limit; comparable between SRAM and flash."""
        sram = self.sram_bytes / self.sram_limit_bytes
        flash = self.flash_bytes / self.flash_limit_bytes
        return max(0.0, sram - 1, flash - 1)

    @property
    def fits(self) -> bool:
        return self.overflow == 0.0

    def shortfall(self) -> str:
        """What is wanted against what there is, in bytes."""
        return (
            f"{self.sram_bytes} of {self.sram_limit_bytes} B SRAM (arena {self.arena_bytes} B), "
            f"{self.flash_bytes} of {self.flash_limit_bytes} B flash"
        )


@dataclass(frozen=True)
class Costs:
    """What many networks take of a board: arrays (n,) of what a `Cost` has."""

    arena_bytes: Ints
    sram_bytes: Ints
    flash_bytes: Ints
    macs: Ints
    parameters: Ints
    sram_limit_bytes: int
    flash_limit_bytes: int

    def __len__(self) -> int:
        return len(self.macs)

    def __iter__(self) -> Iterator[Cost]:
        columns = (self.arena_bytes, self.sram_bytes, self.flash_bytes, self.macs, self.parameters)
        for arena, sram, flash, macs, parameters in np.stack(columns, axis=1).tolist():
            yield Cost(arena, sram, flash, macs, parameters, self.sram_limit_bytes, self.flash_limit_bytes)

    @property
    def overflow(self) -> NDArray[np.float64]:
        """As `Cost.overflow`."""
        sram, flash = self.sram_bytes / self.sram_limit_bytes, self.flash_bytes / self.flash_limit_bytes
        return np.asarray(np.maximum(np.maximum(sram - 1, flash - 1), 0.0), np.float64)

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Which networks fit the board and the budget."""
        return (self.sram_bytes <= self.sram_limit_bytes) & (self.flash_bytes <= self.flash_limit_bytes)


def network_cost(spec: NetSpec, board: Board, runtime: RuntimeSize, budget: Budget = WHOLE_BOARD) -> Cost:
    """Cost of any network, of a space or not; some milliseconds."""
    graph = lower(spec)
    planned = plan(graph, board.core)
    fitted = fit(planned, board, runtime)
    return Cost(
        arena_bytes=planned.arena_bytes,
        sram_bytes=fitted.sram_bytes,
        flash_bytes=fitted.flash_bytes,
        macs=planned.macs,
        parameters=sum(tensor.elements for tensor in graph.tensors if tensor.name.endswith((".weight", ".bias"))),
        sram_limit_bytes=min(fitted.sram_limit_bytes, budget.sram_bytes or fitted.sram_limit_bytes),
        flash_limit_bytes=min(fitted.flash_limit_bytes, budget.flash_bytes or fitted.flash_limit_bytes),
    )


@dataclass(frozen=True)
class CandidateCost:
    """Costs of a space's archs on one board; what networks have in common is worked out once."""

    space: Space
    board: Board
    runtime: RuntimeSize
    budget: Budget = WHOLE_BOARD
    _known: dict[Arch, Cost] = field(default_factory=dict, repr=False, compare=False)

    def __call__(self, arch: Arch) -> Cost:
        """The cost of one arch; equal networks share it."""
        key = self.space.canonical(arch)
        if key not in self._known:
            self._known[key] = network_cost(self.space.netspec(key), self.board, self.runtime, self.budget)
        return self._known[key]

    def batch(self, archs: Archs | Sequence[Arch]) -> Costs:
        """Equal to one call for each arch, and a hundred times as fast for thousands."""
        rows = np.asarray(archs, np.int64)
        found = self._table.costs(self.space, rows)
        resident = self.board.stack_bytes + self.runtime.statics_bytes + self.runtime.runner_sram_bytes
        return Costs(
            arena_bytes=found.arena_bytes,
            sram_bytes=found.arena_bytes + resident,
            flash_bytes=found.flash_bytes,
            macs=found.macs,
            parameters=found.parameters,
            sram_limit_bytes=min(self.board.sram.size_bytes, self.budget.sram_bytes or self.board.sram.size_bytes),
            flash_limit_bytes=min(self.board.flash.size_bytes, self.budget.flash_bytes or self.board.flash.size_bytes),
        )

    @cached_property
    def _table(self) -> NetworkTable:
        return NetworkTable(self.board.core, self.runtime)

    def overflows(self, archs: Archs | Sequence[Arch]) -> list[float]:
        """0 for each arch that fits, else its overflow as a fraction of the limit."""
        found: list[float] = self.batch(archs).overflow.tolist() if len(archs) else []
        return found


class BatchCost(Protocol):
    """`CandidateCost`, or a stand-in for one."""

    def __call__(self, arch: Arch) -> Cost: ...

    def batch(self, archs: Archs | Sequence[Arch]) -> Costs: ...


def sample_feasible(space: Space, cost: BatchCost, rng: np.random.Generator, max_tries: int = 2000) -> Arch:
    """Draw one arch that fits, as `feasible_samples` draws many."""
    return tuple(feasible_samples(space, cost, rng, 1, max_tries)[0].tolist())


def feasible_samples(
    space: Space, cost: BatchCost, rng: np.random.Generator, count: int, max_tries: int = 2000
) -> Archs:
    """(count, genes) archs that fit, independent; as `space.samples` draws them, given that they fit.

    So uniform over the distinct networks that fit, where the space samples uniformly.

    Raises:
        InfeasibleError: none in `max_tries` draws; names the one that came nearest and what it needs.
    """
    kept: list[Archs] = []
    found, tries, nearest = 0, 0, (np.inf, space.smallest())
    while found < count:
        worth = _worth_drawing(count - found, found, tries)
        drawn = space.samples(rng, worth if found else min(worth, max_tries - tries))
        overflow = cost.batch(drawn).overflow
        kept.append(drawn[overflow == 0.0])
        found, tries = found + len(kept[-1]), tries + len(drawn)
        if not found:
            nearest = min(nearest, (float(overflow.min()), tuple(drawn[overflow.argmin()].tolist())))
            if tries >= max_tries:
                raise InfeasibleError(nearest_miss(space, cost, nearest[1], tries))
    return np.concatenate(kept)[:count]


def _worth_drawing(missing: int, found: int, tries: int) -> int:
    """How many draws the missing ones may take, by the share that has fitted so far."""
    share = (found + 1) / (tries + 2)
    return int(np.clip(1.2 * missing / share, 16, 4096))


def nearest_miss(space: Space, cost: BatchCost, arch: Arch, tries: int) -> str:
    """The message for a budget that no drawn network meets."""
    return (
        f"no network in {tries} draws fits; the nearest, {space.label(arch)}, needs {cost(arch).shortfall()}. "
        "Offer a lower resolution, a smaller width or fewer channels, or pick another board."
    )
