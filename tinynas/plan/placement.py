"""Where each buffer lies in an arena of known size: one order per stretch, such that all agree."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import TopologicalSorter

import numpy as np

from tinynas.plan.blocks import Cut
from tinynas.plan.layout import Layout
from tinynas.plan.options import Option
from tinynas.plan.stacking import Stretch, gaps, stretches, ways

_Reach = tuple[int, int]  # of a tensor's start: least distance from the arena's bottom, of its start from the top
_Trail = tuple["_Trail", int] | None  # orders chosen so far, the last one first


def offsets_within(arena: int, cuts: Sequence[Cut], options: Sequence[Option], layout: Layout) -> tuple[int, ...]:
    """Offsets of the layout's items in the smallest arena; each lies as high as the orders let it."""
    places = [(k, stretch) for k, cut in enumerate(cuts) for stretch in stretches(cut.block, options[k])]
    above: dict[int, dict[int, int]] = {item: {} for item in range(len(layout.items))}
    for (k, stretch), order in zip(places, _agreeing([stretch for _, stretch in places], arena), strict=True):
        numbers, gap = _numbers(k, cuts[k], stretch, layout), gaps(stretch)
        for i, j in np.argwhere(ways(stretch).below[order]).tolist():
            higher = above[numbers[i]]
            higher[numbers[j]] = max(higher.get(numbers[j], 0), int(gap[i, j]))
    tops: dict[int, int] = {}  # least distance of an item's start from the top
    for item in TopologicalSorter(above).static_order():
        tops[item] = max([layout.items[item].size_bytes, *(tops[j] + gap for j, gap in above[item].items())])
    return tuple(arena - tops[item] for item in range(len(layout.items)))


def _numbers(cut_place: int, cut: Cut, stretch: Stretch, layout: Layout) -> list[int]:
    """The layout's item for each of a stretch's."""
    return [
        layout.own[cut_place, stretch.action + item.action][item.own]
        if item.tensor is None
        else layout.tensors[cut.storages[item.tensor]].item
        for item in stretch.items
    ]


def _agreeing(chain: Sequence[Stretch], arena: int) -> list[int]:
    """An order for each stretch, such that all fit: the ranges of a tensor's start that those before it leave."""
    reaches: dict[_Reach, _Trail] = {(0, 0): None}
    for stretch in chain:
        found: dict[_Reach, _Trail] = {}
        for (low, high), trail in reaches.items():
            for order, row in enumerate(ways(stretch).distances.tolist()):
                reach = _beyond(row, low, high, arena)
                if reach is not None and reach not in found:
                    found[reach] = (trail, order)
        reaches = {reach: found[reach] for reach in _widest(found)}
    trail, orders = next(iter(reaches.values())), list[int]()
    while trail is not None:
        orders.append(trail[1])
        trail = trail[0]
    return orders[::-1]


def _beyond(row: Sequence[int], low: int, high: int, arena: int) -> _Reach | None:
    least, bottom_in, in_top, bottom_out, out_top, in_out, out_in = row
    start, end = max(low, bottom_in), max(high, in_top)
    if least > arena or start + end > arena:
        return None
    reach = max(bottom_out, start + in_out), max(out_top, end + out_in)
    return reach if sum(reach) <= arena else None


def _widest(reaches: Sequence[_Reach] | dict[_Reach, _Trail]) -> list[_Reach]:
    """Those that no other one contains."""
    kept: list[_Reach] = []
    for low, high in sorted(reaches):
        if not kept or high < kept[-1][1]:
            kept.append((low, high))
    return kept
