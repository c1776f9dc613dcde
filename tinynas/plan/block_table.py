"""Blocks by number, and what they take as arrays: of one network's, or of all that a search has met so far."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from tinynas.plan.blocks import Block
from tinynas.plan.options import Option, options
from tinynas.plan.stacking import MOST_ITEMS, Ints, settled, stretches, undominated, ways

NEVER = 1 << 34  # more bytes than any arena has: pads tables of options and ways


class BlockTable:
    """Grows with the blocks and options that are asked for; the arrays may be replaced whenever it does."""

    def __init__(self, choices: Sequence[tuple[Block, tuple[Option, ...]]] = ()) -> None:
        self.blocks: list[Block] = []
        self.options: list[tuple[Option, ...]] = []
        self.needs: Ints = np.empty((0, 0), np.int64)  # (blocks, options), NEVER where there are no more
        self.calls: Ints = self.needs
        self.ways: Ints = np.empty((0, 0, 7), np.int64)  # (rows, orders, 7)
        self._numbers: dict[Block, int] = {}
        self._rows: Ints = self.needs  # (blocks, options) -> row of `ways`, -1: not asked for yet
        for block, found in choices:
            self._append(block, found)
        self._widen()

    def numbers(self, blocks: Sequence[Block]) -> list[int]:
        """Each block's number; new ones are added."""
        for block in blocks:
            if block not in self._numbers:
                self._append(block, options(block))
        if len(self.blocks) > len(self.needs):
            self._widen()
        return [self._numbers[block] for block in blocks]

    def ways_of(self, blocks: Ints, chosen: Ints) -> Ints:
        """The rows of `ways` of blocks that run so."""
        rows = self._rows[blocks, chosen]
        missing = rows < 0
        if missing.any():
            self._add_ways(np.unique(np.stack([blocks[missing], chosen[missing]], axis=1), axis=0))
            rows = self._rows[blocks, chosen]
        return rows

    def _append(self, block: Block, found: tuple[Option, ...]) -> None:
        self._numbers[block] = len(self.blocks)
        self.blocks.append(block)
        self.options.append(found)

    def _widen(self) -> None:
        shape = (len(self.blocks), max((len(found) for found in self.options), default=0))
        rows = np.full(shape, -1, np.int64)
        rows[: self._rows.shape[0], : self._rows.shape[1]] = self._rows
        self._rows, self.needs, self.calls = rows, np.full(shape, NEVER), np.full(shape, NEVER)
        for k, found in enumerate(self.options):
            self.needs[k, : len(found)] = [option.need_bytes for option in found]
            self.calls[k, : len(found)] = [option.calls for option in found]

    def _add_ways(self, asked: Ints) -> None:
        tables = [block_ways(self.blocks[block], self.options[block][option]) for block, option in asked.tolist()]
        self._rows[asked[:, 0], asked[:, 1]] = len(self.ways) + np.arange(len(asked))
        most = max(self.ways.shape[1], *(len(table) for table in tables))
        grown = np.full((len(self.ways) + len(tables), most, 7), NEVER, np.int64)
        grown[: len(self.ways), : self.ways.shape[1]] = self.ways
        for row, table in zip(grown[len(self.ways) :], tables, strict=True):
            row[: len(table)] = table
        self.ways = grown


def solvable(block: Block, option: Option) -> bool:
    """Whether there are ways to know: of calls at all, and of few enough items."""
    found = stretches(block, option)
    return bool(found) and all(len(stretch.items) <= MOST_ITEMS for stretch in found)


@lru_cache(maxsize=1 << 16)
def block_ways(block: Block, option: Option) -> Ints:
    """(orders, 7) distances of a block that runs as `option` says."""
    rows: Ints | None = None
    for stretch in stretches(block, option):
        found = ways(stretch).distances
        if rows is not None:
            found = chained(rows, found)
            found = found[undominated(found)]
        rows = found
    assert rows is not None, block
    return rows


def chained(first: Ints, second: Ints) -> Ints:
    """(orders, 7) of two stretches one after the other, with each order of the first and each of the second."""
    _, bottom_a, a_top, bottom_m, m_top, a_m, m_a = (first[:, None, i] for i in range(7))
    _, bottom_n, n_top, bottom_b, b_top, n_b, b_n = (second[None, :, i] for i in range(7))
    bottom, top = np.maximum(bottom_m, bottom_n), np.maximum(m_top, n_top)
    columns = (
        np.maximum(np.maximum(first[:, None, 0], second[None, :, 0]), bottom + top),
        np.maximum(bottom_a, bottom + m_a),
        np.maximum(a_top, a_m + top),
        np.maximum(bottom_b, bottom + n_b),
        np.maximum(b_top, b_n + top),
        a_m + n_b,
        b_n + m_a,
    )
    return settled(np.stack([c.reshape(-1) for c in np.broadcast_arrays(*columns)], axis=1))
