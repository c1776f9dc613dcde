"""Networks as rows of pieces. What a piece takes is worked out once, and known by its number.

A chain of calls may span pieces where the tensor between them is wide; such pieces are planned as one part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.stats import macs
from tinynas.lab.board import Core
from tinynas.plan.block_table import BlockTable
from tinynas.plan.blocks import Block, Cutter
from tinynas.plan.calls import layered_calls
from tinynas.plan.layout import storage_of
from tinynas.space.archs import Archs
from tinynas.space.layers import Shape
from tinynas.space.netspec import BlockSpec
from tinynas.space.pieces import Middle, Piece, Stem, Tail, lowered, out_shape
from tinynas.space.protocol import Space

Ints = NDArray[np.int64]
ABSENT = -1
NOTHING = Block((), (), None, None)  # fills rows of blocks


@dataclass(frozen=True)
class Part:
    """Pieces that are planned together."""

    pieces: tuple[Piece, ...]
    blocks: tuple[int, ...]  # of the block table
    macs: int
    parameters: int


@dataclass(frozen=True)
class Ends:
    """What decides whether a chain of calls may pass from a piece to the next one."""

    begins: bool  # with a convolution, alone in reading what it is given
    grows: bool  # the first call gives no less than it is given
    ends: bool  # with a convolution
    shrinks: bool  # the last call gives no more than it is given


class PieceTable:
    """Grows with the pieces that are met."""

    def __init__(self, core: Core) -> None:
        self.blocks = BlockTable()
        self.nothing = self.blocks.numbers([NOTHING])[0]
        self.parts: list[Part] = []
        self.macs, self.parameters = np.empty((2, 0), np.int64)
        self._part_blocks = np.empty((0, 0), np.int64)
        self._core = core
        self._pieces: list[Piece] = []
        self._numbers: dict[Piece, int] = {}
        self._ends: list[Ends] = []
        self._alone: list[int] = []  # piece -> part
        self._part_numbers: dict[tuple[Piece, ...], int] = {}
        self._with_next: dict[tuple[int, int], int] = {}  # (part, piece) -> part

    # -- networks to rows of blocks

    def rows(self, space: Space, archs: Archs) -> tuple[Ints, Ints]:
        """(n, parts) and (n, blocks) of the networks of archs, filled up with `ABSENT` and `nothing`."""
        parts = self._merged(self._piece_rows(space, archs))
        self._refresh()
        blocks = np.where(parts[:, :, None] < 0, self.nothing, self._part_blocks[parts]).reshape(len(parts), -1)
        return parts, _packed(blocks, self.nothing)

    def number(self, piece: Piece) -> int:
        """The piece's number."""
        if piece not in self._numbers:
            self._numbers[piece] = len(self._pieces)
            self._pieces.append(piece)
            self._ends.append(self._ends_of(piece))
            self._alone.append(self._part((piece,)))
        return self._numbers[piece]

    def _piece_rows(self, space: Space, archs: Archs) -> Ints:
        """(n, pieces) numbers, packed to the left."""
        frames, first = np.unique(space.frames(archs), return_index=True)
        columns, ids = space.frames(archs), space.block_ids(archs)
        rows = np.full((len(archs), 1), ABSENT)
        for frame, example in zip(frames.tolist(), first.tolist(), strict=True):
            own = np.flatnonzero(columns == frame)
            found = self._frame_rows(space, archs[example], ids[own])
            rows = _widened(rows, found.shape[1])
            rows[own, : found.shape[1]] = found
        return rows

    def _frame_rows(self, space: Space, example: Ints, ids: Ints) -> Ints:
        """(n, pieces) of networks that differ only in their blocks, which `ids` (n, columns) tell."""
        frame = replace(space.netspec(tuple(example.tolist())), stages=())
        stem = Stem(frame)
        columns, shapes = [np.full((len(ids), 1), self.number(stem))], {out_shape(stem): np.arange(len(ids))}
        for column in range(ids.shape[1]):
            found = np.full((len(ids), 1), ABSENT)
            after: dict[Shape, list[Ints]] = {}
            for shape, rows in shapes.items():
                numbers, place = np.unique(ids[rows, column], return_inverse=True)
                runs = [self._run(space.blocks(column, number), shape) for number in numbers.tolist()]
                table = np.full((len(runs), max(len(run) for run, _ in runs)), ABSENT)
                for filled, (run, _) in zip(table, runs, strict=True):
                    filled[: len(run)] = run
                found = _widened(found, table.shape[1])
                found[rows, : table.shape[1]] = table[place]
                for out in {out for _, out in runs}:
                    leads = np.array([given == out for _, given in runs])
                    after.setdefault(out, []).append(rows[leads[place]])
            columns.append(found)
            shapes = {shape: np.concatenate(rows) for shape, rows in after.items()}
        tail = np.empty((len(ids), 1), np.int64)
        for shape, rows in shapes.items():
            tail[rows] = self.number(Tail(frame, shape))
        return _packed(np.concatenate([*columns, tail], axis=1), ABSENT)

    def _run(self, blocks: Sequence[BlockSpec], shape: Shape) -> tuple[list[int], Shape]:
        """Numbers of blocks that follow each other, and the shape that the last one gives."""
        numbers = []
        for block in blocks:
            piece = Middle(block, shape)
            numbers.append(self.number(piece))
            shape = out_shape(piece)
        return numbers, shape

    # -- pieces that are planned together

    def _merged(self, pieces: Ints) -> Ints:
        """(n, parts) of (n, pieces)."""
        begins = np.array([ends.begins for ends in self._ends])
        grows = np.array([ends.grows for ends in self._ends])
        ends, shrinks = np.array([e.ends for e in self._ends]), np.array([e.shrinks for e in self._ends])
        alone = np.array(self._alone)
        parts, count = np.full(pieces.shape, ABSENT), np.zeros(len(pieces), np.int64)
        parts[:, 0] = alone[pieces[:, 0]]
        for k in range(1, pieces.shape[1]):
            rows = np.flatnonzero(pieces[:, k] >= 0)
            before, here = pieces[rows, k - 1], pieces[rows, k]
            joined = ends[before] & begins[here] & ~(shrinks[before] & grows[here])
            count[rows[~joined]] += 1
            parts[rows[~joined], count[rows[~joined]]] = alone[here[~joined]]
            longer = rows[joined]
            parts[longer, count[longer]] = self._joined(parts[longer, count[longer]], here[joined])
        return parts[:, : int(count.max(initial=0)) + 1]

    def _joined(self, parts: Ints, pieces: Ints) -> Ints:
        pairs, back = np.unique(np.stack([parts, pieces], axis=1), axis=0, return_inverse=True)
        return np.array([self._next(part, piece) for part, piece in pairs.tolist()], np.int64)[back.reshape(-1)]

    def _next(self, part: int, piece: int) -> int:
        if (part, piece) not in self._with_next:
            self._with_next[part, piece] = self._part((*self.parts[part].pieces, self._pieces[piece]))
        return self._with_next[part, piece]

    def _part(self, pieces: tuple[Piece, ...]) -> int:
        if pieces not in self._part_numbers:
            graph = lowered(pieces)
            cutter = Cutter(graph, layered_calls(graph, self._core), storage_of(graph))
            numbers = self.blocks.numbers([cut.block for cut in cutter.cuts()])
            used = {i for op in graph.ops for i in op.inputs}
            weights = (t for i, t in enumerate(graph.tensors) if i in used and t.name.endswith((".weight", ".bias")))
            self._part_numbers[pieces] = len(self.parts)
            self.parts.append(Part(pieces, tuple(numbers), macs(graph), sum(t.elements for t in weights)))
        return self._part_numbers[pieces]

    def _ends_of(self, piece: Piece) -> Ends:
        graph = lowered((piece,))
        calls = layered_calls(graph, self._core)
        first, last, source = calls[0], calls[-1], graph.inputs[0]
        size = [tensor.size_bytes for tensor in graph.tensors]
        readers = sum(source in call.inputs for call in calls)
        return Ends(
            begins=first.conv is not None and readers == 1 and source not in graph.outputs,
            grows=size[first.outputs[0]] >= size[source],
            ends=last.conv is not None and last.outputs == graph.outputs,
            shrinks=size[last.outputs[0]] <= size[last.inputs[0]],
        )

    def _refresh(self) -> None:
        """The arrays of new parts."""
        known = len(self.macs)
        if known == len(self.parts):
            return
        fresh = self.parts[known:]
        self.macs = np.append(self.macs, [part.macs for part in fresh])
        self.parameters = np.append(self.parameters, [part.parameters for part in fresh])
        most = max(self._part_blocks.shape[1], *(len(part.blocks) for part in fresh))
        blocks = np.full((len(self.parts), most), self.nothing)
        blocks[:known, : self._part_blocks.shape[1]] = self._part_blocks
        for row, part in zip(blocks[known:], fresh, strict=True):
            row[: len(part.blocks)] = part.blocks
        self._part_blocks = blocks


def _packed(rows: Ints, filler: int) -> Ints:
    """Each row's numbers in their order, the fillers after them; as many columns as the longest row needs."""
    order = np.argsort(rows == filler, axis=1, kind="stable")
    longest = int((rows != filler).sum(axis=1).max(initial=1))
    return np.take_along_axis(rows, order[:, :longest], axis=1)


def _widened(rows: Ints, columns: int) -> Ints:
    missing = columns - rows.shape[1]
    return np.pad(rows, ((0, 0), (0, missing)), constant_values=ABSENT) if missing > 0 else rows
