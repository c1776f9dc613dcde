"""Placing buffers in the arena: near-optimal offsets, and a bound that no placement beats.

Buffers in use at the same time lie apart, with one exception: a kernel that has read part of its input may write its
output there (Blacker et al., "Diagonal Memory Optimisation", arXiv 2010.01668). `leads[(a, b)] = d` says that output b
may overlap input a if it starts at least d bytes before a: only offsets in (a - d, a + size of a) are forbidden to b.
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

CLOSE_BYTES = 16  # from the lower bound; bounds are seldom met exactly, and a search plans thousands of nets
ALIGNMENT = 4  # bytes; enough for word loads of int8 data and for int32 scratch


@dataclass(frozen=True)
class Item:
    """A buffer to place, in use from step `first` to step `last`, both included."""

    size_bytes: int  # a multiple of ALIGNMENT
    first: int
    last: int


Leads = Mapping[tuple[int, int], int]  # (input item, output item) -> bytes, a multiple of ALIGNMENT
Conflict = tuple[int, int, int]  # other item, below, above: offsets in (other - below, other + above) are forbidden


def aligned(size_bytes: int) -> int:
    """`size_bytes` rounded up to the arena's alignment."""
    return -(-size_bytes // ALIGNMENT) * ALIGNMENT


def place(items: Sequence[Item], leads: Leads, tries: int = 200) -> tuple[int, ...]:
    """Offsets of `items`; the arena is never larger than greedy-by-size without overlaps makes it.

    Several orders are placed first-fit, then the best one is changed at random until it is within CLOSE_BYTES of the
    lower bound or `tries` are used up. The same arguments give the same result.
    """
    goal = lower_bound(items, leads) + CLOSE_BYTES
    conflicts, fixed = _conflicts(items, leads), _orders(items)
    best_order = fixed[0]
    best = _first_fit(items, _conflicts(items, {}), best_order, sys.maxsize) or []
    best_bytes = arena_bytes(items, best)
    rng = random.Random(0)
    for attempt in range(len(fixed) + tries):
        if best_bytes <= goal:
            break
        order = fixed[attempt] if attempt < len(fixed) else _changed(best_order, items, best, rng)
        if offsets := _first_fit(items, conflicts, order, best_bytes):
            best, best_order, best_bytes = offsets, order, arena_bytes(items, offsets)
    return tuple(best)


def arena_bytes(items: Sequence[Item], offsets: Sequence[int]) -> int:
    """End of the last buffer."""
    return max((o + i.size_bytes for o, i in zip(offsets, items, strict=True)), default=0)


def overlap_bytes(input_bytes: int, output_bytes: int, lead_bytes: int) -> int:
    """What an output may save at most by lying over an input."""
    return max(0, input_bytes + output_bytes - max(output_bytes, lead_bytes + input_bytes))


def lower_bound(items: Sequence[Item], leads: Leads) -> int:
    """Largest sum, over the steps, of what is in use, less what overlaps may save at most."""
    return max(bounds(items, leads), default=0)


def bounds(items: Sequence[Item], leads: Leads) -> list[int]:
    """That sum for each step."""
    changes = [0] * (max((item.last for item in items), default=-1) + 2)
    for item in items:
        changes[item.first] += item.size_bytes
        changes[item.last + 1] -= item.size_bytes
    sums = list(accumulate(changes[:-1]))
    for (step, output), saved in _savings(items, leads).items():
        sums[step] -= min(items[output].size_bytes, saved)
    return sums


def _savings(items: Sequence[Item], leads: Leads) -> dict[tuple[int, int], int]:
    """(step, output) -> bytes of it that may lie over its inputs."""
    saved: dict[tuple[int, int], int] = defaultdict(int)
    for (a, b), lead in leads.items():
        overlap = overlap_bytes(items[a].size_bytes, items[b].size_bytes, lead)
        for step in range(max(items[a].first, items[b].first), min(items[a].last, items[b].last) + 1):
            saved[step, b] += overlap
    return saved


def _conflicts(items: Sequence[Item], leads: Leads) -> list[list[Conflict]]:
    """Per item, the others in use at the same time and how far it must keep below or above each."""
    table: list[list[Conflict]] = [[] for _ in items]
    for i, x in enumerate(items):
        for j, y in enumerate(items[:i]):
            if x.first <= y.last and y.first <= x.last:
                below = min(leads.get((j, i), x.size_bytes), x.size_bytes)
                above = min(leads.get((i, j), y.size_bytes), y.size_bytes)
                table[i].append((j, below, above))
                table[j].append((i, above, below))
    return table


def _first_fit(
    items: Sequence[Item], conflicts: Sequence[Sequence[Conflict]], order: Sequence[int], limit_bytes: int
) -> list[int] | None:
    """Each item in turn at the lowest offset that those placed before it allow; None once it passes the limit."""
    offsets = [-1] * len(order)
    for item in order:
        offset = 0
        placed = [(offsets[j] - below, offsets[j] + above) for j, below, above in conflicts[item] if offsets[j] >= 0]
        placed.sort()
        for low, high in placed:
            if offset <= low:
                break
            offset = max(offset, high)
        if offset + items[item].size_bytes > limit_bytes:
            return None
        offsets[item] = offset
    return offsets


def _orders(items: Sequence[Item]) -> list[list[int]]:
    """Orders that are often good; greedy-by-size comes first."""
    every = range(len(items))
    return [
        sorted(every, key=lambda i: (-items[i].size_bytes, items[i].first)),
        sorted(every, key=lambda i: (-items[i].last, -items[i].first)),  # backwards: outputs lie below their inputs
        # the same, scratch last: it would push the inputs away from their outputs
        sorted(every, key=lambda i: (items[i].first == items[i].last, -items[i].last, -items[i].first)),
        sorted(every, key=lambda i: (items[i].first, -items[i].size_bytes)),
        sorted(every, key=lambda i: -items[i].size_bytes * (items[i].last - items[i].first + 1)),
    ]


def _changed(order: Sequence[int], items: Sequence[Item], offsets: Sequence[int], rng: random.Random) -> list[int]:
    """`order` with one item moved forward; half the time one of those that end last in the arena."""
    end = arena_bytes(items, offsets)
    top = [k for k, item in enumerate(items) if offsets[k] + item.size_bytes == end]
    moved = rng.choice(top) if rng.random() < 0.5 else rng.choice(order)
    rest = [k for k in order if k != moved]
    rest.insert(rng.randrange(len(order)), moved)
    return rest
