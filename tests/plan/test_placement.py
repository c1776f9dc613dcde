"""Networks of a search: buffers lie apart, arenas are as small as their bounds, equal to an exhaustive search."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from tests.space.spaces import FACES
from tinynas.graph.ir import Graph
from tinynas.graph.lower import lower
from tinynas.lab.board import Core
from tinynas.plan.layout import Layout
from tinynas.plan.options import CALL_PRICE_BYTES, Action, Option, actions, option_of, options
from tinynas.plan.placement import offsets_within
from tinynas.plan.planner import Network, plan
from tinynas.space.mobilenet import scaled_mobilenet_v2

CORES = [Core.HOST, Core.M4, Core.M55]


def graphs(count: int) -> list[Graph]:
    rng = np.random.default_rng(11)
    return [lower(FACES.netspec(FACES.sample(rng))) for _ in range(count)]


@pytest.mark.parametrize("core", CORES)
def test_buffers_lie_apart_in_an_arena_near_the_bound(core: Core) -> None:
    for graph in (*graphs(12), lower(scaled_mobilenet_v2(0.35, 160, 3, 2))):
        network = Network(graph, core)
        for chosen in (network.best()[0], network.layered()):
            check_placement(network, chosen)
        made = plan(graph, core)
        assert made.lower_bound_bytes <= made.arena_bytes <= made.lower_bound_bytes * 1.02 + 64
        assert made.arena_bytes <= made.layered_arena_bytes


def check_placement(network: Network, chosen: list[Option]) -> None:
    layout = Layout.of(network.graph, network.calls, network.storage, network.cuts, chosen)
    arena = network.arena_bytes(chosen)
    offsets = offsets_within(arena, network.cuts, chosen, layout)
    assert min(offsets) >= 0
    assert max(offset + item.size_bytes for offset, item in zip(offsets, layout.items, strict=True)) == arena
    for (i, a), (j, b) in itertools.combinations(enumerate(layout.items), 2):
        if a.first <= b.last and b.first <= a.last:
            assert any(offsets[low] + gap(layout, low, high) <= offsets[high] for low, high in ((i, j), (j, i)))


def gap(layout: Layout, low: int, high: int) -> int:
    """How far an item must lie below another one: its size, or less if it is made from it."""
    return min(layout.items[low].size_bytes, layout.leads.get((high, low), 1 << 40))


@pytest.mark.parametrize("core", CORES)
def test_options_are_the_best_of_all_combinations(core: Core) -> None:
    """For any limit on what is needed elsewhere, one of a block's options costs least of all ways to run it."""
    for cut in Network(graphs(1)[0], core).cuts:
        able = list(actions(cut.block))
        every = [option_of(chosen) for chosen in tilings(able, 0, len(cut.block.works))]
        known = options(cut.block)
        for elsewhere in (0, *(option.need_bytes for option in every)):
            best, found = (min(price(option, elsewhere) for option in some) for some in (every, known))
            assert found == best


def price(option: Option, elsewhere: int) -> int:
    return max(option.need_bytes, elsewhere) + CALL_PRICE_BYTES * option.calls


def tilings(able: list[Action], at: int, end: int) -> Iterator[tuple[Action, ...]]:
    """Every sequence of actions from call `at` to the end."""
    if at == end:
        yield ()
    for action in (action for action in able if action.first == at):
        yield from ((action, *rest) for rest in tilings(able, action.end, end))


def test_a_network_takes_the_best_of_all_combinations_of_options() -> None:
    """Of need and calls; its arena may then ask for another one that places better."""
    network = Network(graphs(3)[2], Core.M4)
    found = [options(cut.block) for cut in network.cuts]
    prices = [
        max(option.need_bytes for option in some) + CALL_PRICE_BYTES * sum(option.calls for option in some)
        for some in itertools.product(*found)
    ]
    best, _ = network.best()
    assert network.arena_bytes(best) + CALL_PRICE_BYTES * sum(option.calls for option in best) <= min(prices) + 64
