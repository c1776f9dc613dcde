"""What a board's ticks mean: counted instructions on virtual boards, time everywhere."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tinynas.lab.board import Virtual

_EMPTY_CALL_INSTRUCTIONS = 1  # tn_port_empty


@dataclass(frozen=True)
class Timing:
    """Repeats of one inference. Instructions are exact, those of `invoke` alone; None where ticks are time."""

    instructions: int | None  # median
    latency_us: float  # median
    all_instructions: tuple[int, ...]
    all_latency_us: tuple[float, ...]


@dataclass(frozen=True)
class OpTiming:
    """One op of a profiling image."""

    index: int
    instructions: int | None
    latency_us: float


@dataclass(frozen=True)
class Clock:
    """Of the core; `virtual` where its ticks are instructions."""

    virtual: Virtual | None
    clock_hz: int

    def timing(self, ticks: Sequence[int]) -> Timing:
        """Of repeats that took these ticks, those of an empty call taken off."""
        instructions = tuple(map(self._instructions, ticks)) if self.virtual else ()
        counts = instructions or tuple(ticks)
        median = statistics.median_low(counts)  # of those that occurred, so that latency and instructions agree
        return Timing(
            instructions=median if instructions else None,
            latency_us=self._latency_us(median),
            all_instructions=instructions,
            all_latency_us=tuple(map(self._latency_us, counts)),
        )

    def op(self, index: int, ticks: int) -> OpTiming:
        """Of one op of a profiling image."""
        timing = self.timing([ticks])
        return OpTiming(index, timing.instructions, timing.latency_us)

    def _instructions(self, ticks: int) -> int:
        assert self.virtual is not None
        exact = Fraction(ticks) / self.virtual.ticks_per_instruction
        return math.floor(exact + Fraction(1, 2)) + _EMPTY_CALL_INSTRUCTIONS

    def _latency_us(self, count: int) -> float:
        return max(count, 0) / self.clock_hz * 1e6  # on the host, noise can make the overhead larger
