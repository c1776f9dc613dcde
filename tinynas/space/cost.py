"""Exact memory and MACs of an arch before it is built: lowered without weights, planned, and fitted to the board."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from pydantic import BaseModel, PositiveInt

from tinynas.errors import InfeasibleError
from tinynas.graph.lower import lower
from tinynas.lab.board import Board
from tinynas.plan.fit import RuntimeSize, fit
from tinynas.plan.planner import plan
from tinynas.space.netspec import NetSpec
from tinynas.space.protocol import Space
from tinynas.space.space import Arch


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


def network_cost(spec: NetSpec, board: Board, runtime: RuntimeSize, budget: Budget = WHOLE_BOARD) -> Cost:
    """Cost of any network, of a space or not; a few milliseconds."""
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
    """Costs of a space's archs on one board, each computed once."""

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

    def overflow(self, arch: Arch) -> float:
        """0 if the arch fits, else its overflow as a fraction of the limit."""
        return self(arch).overflow


def sample_feasible(
    space: Space,
    cost: Callable[[Arch], Cost],
    rng: np.random.Generator,
    max_tries: int = 2000,
) -> Arch:
    """Draw one arch that fits, uniform over the distinct networks that do.

    Raises:
        InfeasibleError: none in `max_tries` draws; names the one that came nearest and what it needs.
    """
    nearest: tuple[float, Arch] | None = None
    for _ in range(max_tries):
        arch = space.sample(rng)
        overflow = cost(arch).overflow
        if overflow == 0.0:
            return arch
        if nearest is None or overflow < nearest[0]:
            nearest = (overflow, arch)
    raise InfeasibleError(nearest_miss(space, cost, nearest[1] if nearest else space.smallest(), max_tries))


def nearest_miss(space: Space, cost: Callable[[Arch], Cost], arch: Arch, tries: int) -> str:
    """The message for a budget that no drawn network meets."""
    return (
        f"no network in {tries} draws fits; the nearest, {space.label(arch)}, needs {cost(arch).shortfall()}. "
        "Offer a lower resolution, a smaller width or fewer channels, or pick another board."
    )
