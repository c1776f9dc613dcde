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
    """Grows with the blocks and options that are asked for; the arrays may be replaced whenever it does.

    They may have more rows than there are blocks.
    """

    def __init__(self, choices: Sequence[tuple[Block, tuple[Option, ...]]] = ()) -> None:
        self.blocks: list[Block] = []
        self.options: list[tuple[Option, ...]] = []
        self.needs: Ints = np.empty((0, 0), np.int64)  # (blocks, options), NEVER where there are no more
        self.calls: Ints = self.needs
        self.ways: Ints = np.empty((0, 0, 7), np.int64)  # (rows, orders, 7)
        self._numbers: dict[Block, int] = {}
        self._rows: Ints = self.needs  # (blocks, options) -> row of `ways`, -1: not asked for yet
        self._ways_known = 0
        for block, found in choices:
            self._append(block, found)

    def numbers(self, blocks: Sequence[Block]) -> list[int]:
        """Each block's number; new ones are added."""
        for block in blocks:
            if block not in self._numbers:
                self._append(block, options(block))
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
        self._numbers[block] = number = len(self.blocks)
        self.blocks.append(block)
        self.options.append(found)
        shape = (number + 1, len(found))
        self._rows = grown(self._rows, shape, -1)
        self.needs, self.calls = grown(self.needs, shape, NEVER), grown(self.calls, shape, NEVER)
        self.needs[number, : len(found)] = [option.need_bytes for option in found]
        self.calls[number, : len(found)] = [option.calls for option in found]

    def _add_ways(self, asked: Ints) -> None:
        for block, option in asked.tolist():
            table = block_ways(self.blocks[block], self.options[block][option])
            self.ways = grown(self.ways, (self._ways_known + 1, len(table)), NEVER)
            self.ways[self._ways_known, : len(table)] = table
            self._rows[block, option] = self._ways_known
            self._ways_known += 1


def grown(array: Ints, shape: tuple[int, int], filler: int) -> Ints:
    """`array` with at least so many rows and columns, twice the rows where it must grow."""
    if array.shape[0] >= shape[0] and array.shape[1] >= shape[1]:
        return array
    rows = array.shape[0] if array.shape[0] >= shape[0] else max(2 * array.shape[0], shape[0])
    larger = np.full((rows, max(array.shape[1], shape[1]), *array.shape[2:]), filler, np.int64)
    larger[: array.shape[0], : array.shape[1]] = array
    return larger


def solvable(block: Block, option: Option) -> bool:
    """Whether there are ways to know: of calls at all, and of few enough items."""
    found = stretches(block, option)
    return bool(found) and all(len(stretch.items) <= MOST_ITEMS for stretch in found)


@lru_cache(maxsize=1 << 16)
def block_ways(block: Block, option: Option) -> Ints:
    """(orders, 7) distances of a block that runs as `option` says; of no call at all: nothing changes."""
    rows: Ints | None = None
    for stretch in stretches(block, option):
        found = ways(stretch).distances
        if rows is not None:
            found = chained(rows, found)
            found = found[undominated(found)]
        rows = found
    return np.zeros((1, 7), np.int64) if rows is None else _best_first(rows)


def _best_first(rows: Ints) -> Ints:
    """In turn those that need least, and those that ask least of the tensors at the ends."""
    by_need, by_ends = np.argsort(rows[:, 0], kind="stable"), np.argsort(rows[:, 1:5].sum(axis=1), kind="stable")
    turns = np.stack([by_need, by_ends], axis=1).reshape(-1)
    _, firsts = np.unique(turns, return_index=True)
    return rows[turns[np.sort(firsts)]]


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
