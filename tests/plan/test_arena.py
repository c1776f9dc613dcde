"""Offsets of buffers: never two at one place at one time, near the bound, never worse than greedy by size."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from tinynas.plan.arena import ALIGNMENT, Item, arena_bytes, lower_bound, place


@dataclass(frozen=True)
class Problem:
    items: tuple[Item, ...]
    leads: dict[tuple[int, int], int]


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Random lifetimes; some outputs may overlap an input that dies where they are born."""
    count = draw(st.integers(1, 14))
    items = []
    for _ in range(count):
        first = draw(st.integers(0, 9))
        items.append(Item(ALIGNMENT * draw(st.integers(0, 60)), first, first + draw(st.integers(0, 3))))
    pairs = [(a, b) for a in range(count) for b in range(count) if a != b and items[a].last == items[b].first]
    chosen = [pair for pair in pairs if draw(st.booleans())]
    return Problem(tuple(items), {pair: ALIGNMENT * draw(st.integers(0, 60)) for pair in chosen})


def together(a: Item, b: Item) -> bool:
    return a.first <= b.last and b.first <= a.last


@settings(max_examples=150, deadline=None)
@given(problems())
def test_buffers_in_use_together_lie_apart(problem: Problem) -> None:
    offsets = place(problem.items, problem.leads)
    for i, a in enumerate(problem.items):
        assert offsets[i] >= 0 and offsets[i] % ALIGNMENT == 0
        for j, b in enumerate(problem.items[:i]):
            if together(a, b):
                apart = offsets[i] + a.size_bytes <= offsets[j] or offsets[j] + b.size_bytes <= offsets[i]
                over_j = (j, i) in problem.leads and offsets[i] + problem.leads[j, i] <= offsets[j]
                over_i = (i, j) in problem.leads and offsets[j] + problem.leads[i, j] <= offsets[i]
                assert apart or over_j or over_i


@settings(max_examples=150, deadline=None)
@given(problems())
def test_not_below_the_bound_nor_above_greedy_by_size(problem: Problem) -> None:
    size = arena_bytes(problem.items, place(problem.items, problem.leads))
    assert lower_bound(problem.items, problem.leads) <= size <= greedy_by_size(problem.items)


def greedy_by_size(items: tuple[Item, ...]) -> int:
    """Independent of the planner: largest first, each at the lowest offset clear of all that are in use with it."""
    placed: list[tuple[int, Item]] = []
    for item in sorted(items, key=lambda i: (-i.size_bytes, i.first)):
        others = [(at, other) for at, other in placed if together(item, other)]
        candidates = sorted({0, *(at + other.size_bytes for at, other in others)})
        fits = [c for c in candidates if all(c + item.size_bytes <= at or at + o.size_bytes <= c for at, o in others)]
        placed.append((fits[0], item))
    return max(at + item.size_bytes for at, item in placed)


def test_an_output_over_its_input_saves_all_but_the_lead() -> None:
    items = (Item(400, 0, 0), Item(1000, 0, 1))
    offsets = place(items, {(0, 1): 620})
    assert arena_bytes(items, offsets) == max(1000, 620 + 400)


def test_same_arguments_same_offsets() -> None:
    items = tuple(Item(4 * (k * 37 % 50 + 1), k // 2, k // 2 + 2) for k in range(20))
    assert place(items, {}) == place(items, {})
