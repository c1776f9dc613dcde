"""Which rows each call of a chain in bands computes, and which rows are kept between calls: heights only, no channels.

Nothing is computed twice: a tensor between two ops has a buffer for the rows that the second op reads at a time; those
that its next band reads again are moved to the buffer's start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

Rows = tuple[int, int]  # first and end


@dataclass(frozen=True)
class Heights:
    """How a convolution's output rows depend on its input rows."""

    in_rows: int
    out_rows: int
    kernel: int
    stride: int
    dilation: int
    pad: int  # rows above

    def read_by(self, out: Rows) -> Rows:
        """Input rows that these output rows are computed from."""
        first = out[0] * self.stride - self.pad
        end = (out[1] - 1) * self.stride - self.pad + (self.kernel - 1) * self.dilation + 1
        return min(max(first, 0), self.in_rows), max(min(end, self.in_rows), 0)


@dataclass(frozen=True)
class RowCall:
    """One call: op `stage` of the chain computes `rows`, or moves them to the start of their buffer (`keeps`)."""

    stage: int
    read: Rows  # input rows; of a call that keeps rows, the rows
    rows: Rows
    from_row: int  # first row that the buffer read from holds
    to_row: int  # first row that the buffer written to holds
    keeps: bool = False


@dataclass(frozen=True)
class RowCalls:
    """A chain's calls in order, and the most rows that the buffer after each op but the last one holds."""

    calls: tuple[RowCall, ...]
    most_rows: tuple[int, ...]


@lru_cache(maxsize=4096)
def row_calls(stages: tuple[Heights, ...], band_rows: int) -> RowCalls:
    """The calls that compute `band_rows` rows of the last op's output at a time."""
    state = _Chain(stages)
    height = stages[-1].out_rows
    for first in range(0, height, band_rows):
        state.band((first, min(first + band_rows, height)))
    return RowCalls(tuple(state.calls), tuple(state.most_rows[:-1]))


class _Chain:
    """The rows that each op's output buffer holds, band by band."""

    def __init__(self, stages: Sequence[Heights]) -> None:
        self.stages = stages
        self.held: list[Rows] = [(0, 0)] * len(stages)
        self.most_rows = [0] * len(stages)
        self.calls: list[RowCall] = []

    def band(self, out: Rows) -> None:
        """Calls for these rows of the last output, of those ops that have new rows to compute."""
        wanted, reads = [out], [self.stages[-1].read_by(out)]  # the last op first
        for stage in range(len(self.stages) - 2, -1, -1):
            rows = (max(self.held[stage][1], reads[-1][0]), reads[-1][1])
            if rows[0] >= rows[1]:
                break
            wanted.append(rows)
            reads.append(self.stages[stage].read_by(rows))
        first = len(self.stages) - len(wanted)
        for stage, rows, read in zip(range(first, len(self.stages)), reversed(wanted), reversed(reads), strict=True):
            self._call(stage, rows, read, reads[len(self.stages) - stage - 2] if stage < len(self.stages) - 1 else None)

    def _call(self, stage: int, rows: Rows, read: Rows, needed: Rows | None) -> None:
        """One op's call; `needed` are the rows that the next one reads now."""
        to_row = 0
        if needed is not None:
            held = self.held[stage]
            if held[0] < needed[0] < held[1]:
                kept = (needed[0], held[1])
                self.calls.append(RowCall(stage, kept, kept, held[0], needed[0], keeps=True))
            to_row = needed[0]
            self.held[stage] = needed
            self.most_rows[stage] = max(self.most_rows[stage], needed[1] - needed[0])
        from_row = self.held[stage - 1][0] if stage else 0
        self.calls.append(RowCall(stage, read, rows, from_row, to_row))
