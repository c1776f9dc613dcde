"""Where a stretch of calls may place its tensors: orders in the arena, and what each asks of the tensors at its ends.

Each tensor or scratch is stacked on the arena's bottom or hung from its top, those that are in use longest outermost:
an output that may overlap its input then starts before it. An order is a set of least distances between places, so all
that the rest of the network need know of it are seven of them (`DISTANCES`), wherever the arena ends.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from tinynas.plan.blocks import Block
from tinynas.plan.options import Action, Option

Ints = NDArray[np.int64]

DISTANCES = ("least", "bottom_in", "in_top", "bottom_out", "out_top", "in_out", "out_in")
"""Columns of `Ways.distances`: the arena's least size; of the tensor before the calls (in) and the one after them (out)
the least distance of its start from the arena's bottom and top, and from the start of the other where that lies below.
"""
APART = -(1 << 40)  # no least distance

MOST_ITEMS = 20  # beyond, a stretch of calls has too many orders
_MOST_ORDERS = 512
_BELOW, _ABOVE, _BETWEEN = 0, 1, 2


@dataclass(frozen=True)
class Item:
    """A tensor, or memory of one action's own, in use from time `first` to `last`; an action takes two of them."""

    size_bytes: int
    first: int
    last: int
    tensor: int | None  # number in the block; None: an action's own memory
    own: int = 0  # which of the action's

    @property
    def action(self) -> int:
        """Where it is first in use; -1: before."""
        return self.first // 2


@dataclass(frozen=True)
class Stretch:
    """Actions of a block between two points where one tensor passes alone."""

    items: tuple[Item, ...]
    leads: tuple[tuple[int, int, int], ...]  # input item, output item, bytes
    source: int | None  # item
    target: int | None
    action: int  # the first, of the option's

    @cached_property
    def _hash(self) -> int:
        return hash((self.items, self.leads, self.source, self.target, self.action))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, eq=False)
class Ways:
    """Orders of a stretch's items, none worse than another in all distances."""

    distances: Ints  # (orders, 7)
    below: NDArray[np.bool_]  # (orders, items, items): whether the first item lies below the second one


@lru_cache(maxsize=1 << 16)
def stretches(block: Block, option: Option) -> tuple[Stretch, ...]:
    """The stretches of a block that runs as `option` says, in order."""
    actions, inside = option.actions, _inside(block, option)
    cuts = [0, *(k for k in range(1, len(actions)) if len(_through(block, inside, actions[k].first)) == 1)]
    ends = [*cuts[1:], len(actions)]
    return tuple(_stretch(block, inside, actions, a, b) for a, b in zip(cuts, ends, strict=True) if b > a)


def _inside(block: Block, option: Option) -> frozenset[int]:
    """Tensors within chains: they lie in the chain's own memory."""
    calls = (k for action in option.actions for k in range(action.first, action.end - 1))
    return frozenset(t for k in calls for t in block.works[k].outputs)


def _through(block: Block, inside: frozenset[int], call: int) -> list[int]:
    """Tensors in use between a call and the one before it."""
    return [t for t, (first, last) in enumerate(block.spans) if first < call <= last and t not in inside]


def _stretch(block: Block, inside: frozenset[int], actions: Sequence[Action], first: int, end: int) -> Stretch:
    calls = actions[first].first, actions[end - 1].end
    used = [t for t, (a, b) in enumerate(block.spans) if a < calls[1] and b >= calls[0] and t not in inside]
    places = {k: place for place, action in enumerate(actions[first:end]) for k in range(action.first, action.end)}
    items = []
    for t in used:
        born, dies = (places.get(k) for k in block.spans[t])
        last = 2 * (end - first) if dies is None else 2 * dies + (not actions[first + dies].frees_early)
        items.append(Item(block.sizes[t], -1 if born is None else 2 * born, last, t))
    place = {t: i for i, t in enumerate(used)}
    leads = [(place[t], place[action.outputs[0]], lead) for action in actions[first:end] for t, lead in action.leads]
    for k, action in enumerate(actions[first:end]):
        items += [
            Item(own.size_bytes, 2 * k + own.first, 2 * k + own.last, None, i) for i, own in enumerate(action.own)
        ]
    into, out = (_through(block, inside, call) for call in calls)
    source = place[into[0]] if len(into) == 1 else None
    target = place[out[0]] if len(out) == 1 else None
    return Stretch(tuple(items), tuple(leads), source, target, first)


@lru_cache(maxsize=1 << 16)
def ways(stretch: Stretch) -> Ways:
    """The orders of a stretch's items that may be best for some network around it."""
    below = _orders(stretch)
    distances = _distances(stretch, below)
    kept = undominated(distances)
    return Ways(distances[kept], below[kept])


def _orders(stretch: Stretch) -> NDArray[np.bool_]:
    """(orders, items, items): which item lies below which, where both are in use at a time."""
    items, rank = stretch.items, _ranks(stretch)
    pairs = [
        (i, j) if rank[i] < rank[j] else (j, i)
        for i, j in itertools.combinations(range(len(items)), 2)
        if items[i].first <= items[j].last and items[j].first <= items[i].last
    ]
    between = {i: outermost for i in range(len(items)) if (outermost := _between(stretch, rank, i)) is not None}
    sides = _sides(items, {outer for outer, _ in pairs}, between)
    below = np.zeros((len(sides), len(items), len(items)), np.bool_)
    for outer, inner in pairs:
        down = sides[:, outer] == _BELOW
        if outer in between:
            side = sides[:, between[outer]]
            down |= (sides[:, outer] == _BETWEEN) & (side == (_ABOVE if inner == between[outer] else _BELOW))
        below[:, outer, inner], below[:, inner, outer] = down, ~down
    return below


def _between(stretch: Stretch, ranks: Sequence[tuple[int, int, float]], item: int) -> int | None:
    """The tensor next to which `item` may lie on the inner side, with the others of its action beyond it.

    An action's own memory: the outermost that it frees or makes. What it makes, of two that it frees: the outer one.
    """
    found = stretch.items[item]
    if found.tensor is None:
        return _outermost(stretch, ranks, found.action)
    freed = [i for i, x in enumerate(stretch.items) if x.tensor is not None and x.last // 2 == found.action != x.action]
    return min(freed, key=ranks.__getitem__) if len(freed) > 1 else None


def _ranks(stretch: Stretch) -> list[tuple[int, int, float]]:
    """Who is stacked further out: those that are in use to a later action, then those from an earlier one.

    An action's own memory comes just before its outermost tensor of those that it frees or makes: what is in use
    longer lies beyond, where it may stay.
    """
    ranks = [(-item.last, item.first, float(i)) for i, item in enumerate(stretch.items)]
    for i, item in enumerate(stretch.items):
        if item.tensor is None:
            last, first, place = ranks[_outermost(stretch, ranks, item.action)]
            ranks[i] = (last, first, place - 0.5)
    return ranks


def _outermost(stretch: Stretch, ranks: Sequence[tuple[int, int, float]], action: int) -> int:
    """Of the tensors that an action frees or makes."""
    tensors = ((i, item) for i, item in enumerate(stretch.items) if item.tensor is not None)
    passing = [i for i, item in tensors if action in (item.action, item.last // 2)]
    return min(passing, key=ranks.__getitem__)


def _sides(items: Sequence[Item], deciding: set[int], between: Container[int]) -> NDArray[np.int8]:
    """(orders, items): on which side each is stacked; of many, the smallest all on one side."""
    large = sorted(deciding, key=lambda i: -items[i].size_bytes)
    choices: dict[int, int] = {}
    count = 2
    for i in large:
        able = 3 if i in between else 2
        if count * able <= _MOST_ORDERS:
            choices[i], count = able, count * able
    free = list(choices)
    together = [i for i in large if i not in choices]
    ranges = [*(range(choices[i]) for i in free), range(2 if together else 1)]
    drawn = np.array(list(itertools.product(*ranges)), np.int8)
    sides = np.zeros((len(drawn), len(items)), np.int8)
    sides[:, free] = drawn[:, :-1]
    sides[:, together] = drawn[:, -1:]
    return sides


def _distances(stretch: Stretch, below: NDArray[np.bool_]) -> Ints:
    """(orders, 7): longest paths through the items that lie above one another."""
    sizes = np.array([item.size_bytes for item in stretch.items], np.int64)
    paths = np.where(below, gaps(stretch), APART)
    for k in range(len(sizes)):
        np.maximum(paths, paths[:, :, k, None] + paths[:, k, None, :], out=paths)
    bottom = np.maximum(paths.max(axis=1), 0)
    top = np.maximum((paths + sizes).max(axis=2), sizes)
    columns = np.zeros((len(DISTANCES), len(below)), np.int64)
    columns[0], columns[5:] = (bottom + sizes).max(axis=1), APART
    for end, first in ((stretch.source, 1), (stretch.target, 3)):
        if end is not None:
            columns[first], columns[first + 1] = bottom[:, end], top[:, end]
    if stretch.source is not None and stretch.target is not None:
        columns[5], columns[6] = paths[:, stretch.source, stretch.target], paths[:, stretch.target, stretch.source]
    return settled(columns.T)


def gaps(stretch: Stretch) -> Ints:
    """(items, items): how far above the start of the first item the second one starts, if it lies above it."""
    sizes = np.array([item.size_bytes for item in stretch.items], np.int64)
    found = np.repeat(sizes[:, None], len(sizes), axis=1)
    for source, target, lead in stretch.leads:
        found[target, source] = min(sizes[target], lead)
    return found


def settled(distances: Ints) -> Ints:
    """`distances` with one number for all that are none."""
    return np.ascontiguousarray(np.where(distances < APART // 2, APART, distances))


def undominated(distances: Ints) -> Ints:
    """Rows that no other row equals or beats in every column, the smallest arena first."""
    _, firsts = np.unique(distances, axis=0, return_index=True)
    rows = distances[firsts]
    no_worse = np.array((rows[:, None, :] <= rows[None, :, :]).all(axis=2)) & ~np.eye(len(rows), dtype=bool)
    kept: Ints = firsts[~no_worse.any(axis=0)]
    return kept
