"""The best plans of many networks at once: how each block runs, and the smallest arena that then holds all of it.

A network is a row of blocks. Their options trade calls for memory, and the memory of a network is the most that a block
needs: for each limit every block takes its option of fewest calls within it, and the best limit is looked up. The
arena is the smallest in which the ways of all blocks agree on the places of the tensors between them. Where that is
more than any block needs, options that would agree better are tried, one block at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinynas.plan.arena import ALIGNMENT
from tinynas.plan.block_table import NEVER, BlockTable
from tinynas.plan.options import CALL_PRICE_BYTES
from tinynas.plan.stacking import Ints

_Bools = NDArray[np.bool_]
_FIRST_WAYS = 6
_CHUNK = 1024  # networks
_SHIFT = 1 << 28  # two distances in one number, so that the smaller first one wins, then the smaller second one


@dataclass(frozen=True)
class Solution:
    """What networks of the same number of blocks take at best."""

    options: Ints  # (networks, blocks)
    arena_bytes: Ints  # (networks,)


def solve(table: BlockTable, blocks: Ints) -> Solution:
    """The best options and arenas of networks: rows of `table`'s blocks, (networks, blocks)."""
    chosen = choose_options(table.needs[blocks], table.calls[blocks])
    arena = arenas(table, blocks, chosen)
    rows = np.flatnonzero(arena > _least(table, blocks, chosen))
    while len(rows):
        better, arena_better = _changed(table, blocks[rows], chosen[rows], arena[rows])
        improved = (better != chosen[rows]).any(axis=1)
        rows = rows[improved]
        chosen[rows], arena[rows] = better[improved], arena_better[improved]
    return Solution(chosen, arena)


def arenas(table: BlockTable, blocks: Ints, chosen: Ints) -> Ints:
    """(networks,) bytes of the smallest arenas for these options."""
    return least_arenas(table, table.ways_of(blocks, chosen), _least(table, blocks, chosen))


def _least(table: BlockTable, blocks: Ints, chosen: Ints) -> Ints:
    return np.asarray(table.needs[blocks, chosen].max(axis=1), np.int64)


def _price(table: BlockTable, blocks: Ints, chosen: Ints, memory: Ints) -> Ints:
    return np.asarray(memory + CALL_PRICE_BYTES * table.calls[blocks, chosen].sum(axis=1), np.int64)


def choose_options(needs: Ints, calls: Ints) -> Ints:
    """(networks, blocks): the option of each block, for (networks, blocks, options) bytes and calls.

    Options are in the order of their calls, padded with needs of `NEVER`. Minimises the most that a block needs plus
    `CALL_PRICE_BYTES` for each call.
    """
    rows = np.arange(len(needs))
    floor = needs.min(axis=2).max(axis=1)
    chosen = np.zeros(needs.shape[:2], np.int64)
    best, best_price = chosen.copy(), np.full(len(needs), NEVER)
    now = needs[:, :, 0].copy()
    spent = CALL_PRICE_BYTES * calls[:, :, 0].sum(axis=1)
    while len(rows):
        place, peak = np.arange(len(rows)), now.argmax(axis=1)
        price = now[place, peak] + spent
        better = price < best_price[rows]
        best[rows[better]], best_price[rows[better]] = chosen[better], price[better]
        option = np.minimum(chosen[place, peak] + 1, needs.shape[2] - 1)
        able = (option > chosen[place, peak]) & (needs[rows, peak, option] < NEVER)
        able &= floor[rows] + spent < best_price[rows]  # else no limit further down is better
        rows, peak, option, chosen, now, spent = (a[able] for a in (rows, peak, option, chosen, now, spent))
        place = np.arange(len(rows))
        spent += CALL_PRICE_BYTES * (calls[rows, peak, option] - calls[rows, peak, option - 1])
        chosen[place, peak], now[place, peak] = option, needs[rows, peak, option]
    return best


def _changed(table: BlockTable, blocks: Ints, chosen: Ints, arena: Ints) -> tuple[Ints, Ints]:
    """Options and arenas with the best change of one block's option, or as they are where none is better."""
    network, place, option = _worth_trying(table, blocks, chosen, arena)
    tried = chosen[network]
    tried[np.arange(len(network)), place] = option
    found = arenas(table, blocks[network], tried)
    price = _price(table, blocks[network], tried, found)
    best, best_arena, best_price = chosen.copy(), arena.copy(), _price(table, blocks, chosen, arena)
    for k in np.lexsort((np.arange(len(network)), price)).tolist()[::-1]:  # the best one last
        if price[k] < best_price[network[k]]:
            best[network[k]], best_arena[network[k]] = tried[k], found[k]
    return best, best_arena


def _worth_trying(table: BlockTable, blocks: Ints, chosen: Ints, arena: Ints) -> tuple[Ints, Ints, Ints]:
    """Networks, places and options of the single changes that might be better: if their blocks' ways agreed."""
    needs, calls = table.needs[blocks], table.calls[blocks]
    now = np.take_along_axis(needs, chosen[:, :, None], axis=2)[:, :, 0]
    others = np.repeat(now[:, None, :], now.shape[1], axis=1)
    others[:, np.arange(now.shape[1]), np.arange(now.shape[1])] = 0
    least = np.maximum(others.max(axis=2)[:, :, None], needs)
    more = calls - np.take_along_axis(calls, chosen[:, :, None], axis=2)
    able = (least + CALL_PRICE_BYTES * more < arena[:, None, None]) & (needs < NEVER)
    np.put_along_axis(able, chosen[:, :, None], False, axis=2)
    network, place, option = np.nonzero(able)
    return network, place, option


def least_arenas(table: BlockTable, ways: Ints, least: Ints) -> Ints:
    """(networks,) bytes, for (networks, blocks) rows of the table's ways.

    No arena is smaller than `least`, a multiple of ALIGNMENT; most networks fit one of that size.
    """
    arena = least.copy()
    failing = np.flatnonzero(~fits(table, ways, arena))
    below, above = arena[failing], np.full(len(failing), NEVER)
    gap = np.full(len(failing), 16 * ALIGNMENT)
    while len(failing):
        open_ended = above == NEVER
        middle = np.where(open_ended, below + gap, (below + above) // (2 * ALIGNMENT) * ALIGNMENT)
        good = fits(table, ways[failing], middle)
        above, below = np.where(good, middle, above), np.where(good, below, middle)
        gap = np.where(open_ended, 4 * gap, gap)
        done = above - below <= ALIGNMENT
        arena[failing[done]] = above[done]
        failing, below, above, gap = (a[~done] for a in (failing, below, above, gap))
    return arena


def fits(table: BlockTable, ways: Ints, arena: Ints) -> _Bools:
    """(networks,) whether the blocks' ways agree within an arena of these bytes.

    The first few ways of each block nearly always do; all are tried where they do not.
    """
    found = _agree(table.ways[:, :_FIRST_WAYS], ways, arena)
    missed = np.flatnonzero(~found)
    if len(missed) and table.ways.shape[1] > _FIRST_WAYS:
        found[missed] = _agree(table.ways, ways[missed], arena[missed])
    return found


def _agree(known: Ints, ways: Ints, arena: Ints) -> _Bools:
    """In pieces that stay in the processor's cache."""
    found = np.empty(len(ways), np.bool_)
    for first in range(0, len(ways), _CHUNK):
        part = slice(first, first + _CHUNK)
        low = high = np.zeros((len(ways[part]), 2, 1), np.int64)
        for k in range(ways.shape[1]):
            low, high = _through(known[ways[part, k]], low, high, arena[part, None, None])
        found[part] = low[:, 0, 0] < NEVER
    return found


def _through(way: Ints, low: Ints, high: Ints, limit: Ints) -> tuple[Ints, Ints]:
    """Where the tensor after a block may lie, if the one before may start from `low` and up to `limit` - `high`.

    Both have shape (networks, 2, 1): the range that begins lowest, and the one that ends highest.
    """
    least, bottom_in, in_top, bottom_out, out_top, in_out, out_in = (way[:, None, :, i] for i in range(7))
    start, end = np.maximum(low, bottom_in), np.maximum(high, in_top)
    able = (start + end <= limit) & (least <= limit)
    start, end = np.maximum(bottom_out, start + in_out), np.maximum(out_top, end + out_in)
    able &= start + end <= limit
    flat = (len(way), start.shape[1] * start.shape[2])
    lowest = np.where(able, start * _SHIFT + end, NEVER * _SHIFT).reshape(flat).min(axis=1)
    highest = np.where(able, end * _SHIFT + start, NEVER * _SHIFT).reshape(flat).min(axis=1)
    first, last = np.divmod(np.stack([lowest, highest], axis=1), _SHIFT)
    return (
        np.stack([first[:, 0], last[:, 1]], axis=1)[:, :, None],
        np.stack([last[:, 0], first[:, 1]], axis=1)[:, :, None],
    )
