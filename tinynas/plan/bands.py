"""A chain of convolutions run band by band: which rows each call computes, and which rows are kept between calls.

Nothing is computed twice: a tensor between two ops has a buffer for the rows that the second op reads at a time; those
that its next band reads again are moved to the buffer's start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinynas.graph.ir import Graph
from tinynas.plan.calls import Call
from tinynas.plan.fusion import KEEP_ROWS, banded, kept
from tinynas.plan.kernels import kernel
from tinynas.plan.plan import Band
from tinynas.plan.window import Window, window_of

Rows = tuple[int, int]  # first and end


@dataclass(frozen=True)
class Chain:
    """The calls of a chain in bands, and the bytes of the buffers between its ops."""

    calls: tuple[Call, ...]
    sizes: dict[int, int]  # tensor -> bytes


def in_bands(graph: Graph, calls: Sequence[Call], band_rows: int) -> Chain:
    """`calls`, each computing what the next one reads, for `band_rows` rows of the last one's output at a time."""
    stages = [_Stage(graph, call) for call in calls]
    height = stages[-1].window.out_shape[0]
    made: list[Call] = []
    for first in range(0, height, band_rows):
        made += _one_band(stages, (first, min(first + band_rows, height)))
    lead = _lead_bytes(made, stages[0], stages[-1])
    made[-1] = replace(made[-1], leads=((stages[0].call.inputs[0], lead),))
    return Chain(tuple(made), {stage.output: stage.most_rows * stage.line_bytes for stage in stages[:-1]})


class _Stage:
    """One op of the chain, and the rows of its output that are in its buffer."""

    def __init__(self, graph: Graph, call: Call) -> None:
        self.call = call
        self.window = window_of(graph, call.op)
        self.output = call.outputs[0]
        self.line_bytes = self.window.out_shape[1] * self.window.out_shape[2]
        self.rows: Rows = (0, 0)
        self.most_rows = 0
        self._graph = graph
        self._scratch_bytes: dict[tuple[int, int, bool], int] = {}

    def scratch_bytes(self, band: Band) -> int:
        """Of a band; all but the first and the last ones are alike."""
        (first, end), (out_first, out_end) = band.in_rows, band.out_rows
        key = (end - first, out_end - out_first, first == 0)
        if key not in self._scratch_bytes:
            self._scratch_bytes[key] = self.call.kernel.scratch_bytes(*banded(self._graph, self.call.op, band))
        return self._scratch_bytes[key]


def rows_read(window: Window, out: Rows) -> Rows:
    """Input rows that these output rows are computed from."""
    size = window.in_shape[0]
    first = out[0] * window.stride[0] - window.pad[0]
    end = (out[1] - 1) * window.stride[0] - window.pad[0] + (window.kernel[0] - 1) * window.dilation[0] + 1
    return min(max(first, 0), size), max(min(end, size), 0)


def _one_band(stages: Sequence[_Stage], out: Rows) -> list[Call]:
    wanted = [out]  # of each stage, the last one first: the rows to be computed now
    reads: list[Rows] = []
    for stage, before in zip(reversed(stages), (*reversed(stages[:-1]), None), strict=True):
        reads.append(rows_read(stage.window, wanted[-1]))
        if before is not None:
            wanted.append((max(before.rows[1], reads[-1][0]), reads[-1][1]))
            if wanted[-1][0] >= wanted[-1][1]:
                break
    return _calls_of_band(stages[-len(reads) :], stages, wanted[: len(reads)][::-1], reads[::-1])


def _calls_of_band(
    active: Sequence[_Stage], stages: Sequence[_Stage], wanted: Sequence[Rows], reads: Sequence[Rows]
) -> list[Call]:
    """Calls of the stages that have rows to compute; `reads` are the input rows of each."""
    calls: list[Call] = []
    for k, (stage, rows, read) in enumerate(zip(active, wanted, reads, strict=True)):
        place = len(stages) - len(active) + k
        source = stages[place - 1].rows[0] if place else 0
        line = stages[place - 1].line_bytes if place else stage.window.in_shape[1] * stage.window.in_shape[2]
        out_offset = rows[0] * stage.line_bytes
        if stage is not stages[-1]:
            needed = reads[k + 1]
            if needed[0] < stage.rows[1] and needed[0] > stage.rows[0]:
                calls.append(_keep(stage, (needed[0], stage.rows[1])))
            out_offset = (rows[0] - needed[0]) * stage.line_bytes
            stage.rows = needed
            stage.most_rows = max(stage.most_rows, needed[1] - needed[0])
        band = Band(read, rows, (read[0] - source) * line, out_offset)
        calls.append(replace(stage.call, scratch_bytes=stage.scratch_bytes(band), leads=(), band=band))
    return calls


def _keep(stage: _Stage, rows: Rows) -> Call:
    """The rows of a stage's output that are read again, moved to the start of their buffer."""
    offset = (rows[0] - stage.rows[0]) * stage.line_bytes
    band = Band(rows, rows, offset, 0)
    tensors = (stage.output,)
    return Call(stage.call.ops, kept(stage.output), kernel(KEEP_ROWS), tensors, tensors, 0, (), band)


def _lead_bytes(calls: Sequence[Call], first: _Stage, last: _Stage) -> int:
    """Least distance by which the chain's output must start before its input: a band is written after it was read."""
    in_h, in_w, in_c = first.window.in_shape
    lead, still_read = 0, in_h * in_w * in_c
    for call in reversed(calls):
        assert call.band is not None
        if call.outputs[0] == last.output:
            lead = max(lead, call.band.out_rows[1] * last.line_bytes - still_read)
        if call.inputs == first.call.inputs:
            still_read = min(still_read, call.band.in_rows[0] * in_w * in_c)
    return lead
