"""Graph -> Plan: kernels, fusion, lifetimes, offsets. Works on weightless graphs."""

from __future__ import annotations

from dataclasses import replace

from tinynas.graph.ir import Graph
from tinynas.graph.stats import macs
from tinynas.lab.board import Core
from tinynas.plan.arena import ALIGNMENT, arena_bytes, lower_bound, place
from tinynas.plan.calls import const_bytes, layered_calls, step_of
from tinynas.plan.layout import storage_of
from tinynas.plan.plan import Buffer, Plan, Step
from tinynas.plan.prepare import prepare
from tinynas.plan.stream import Schedule, Streamer, refused


def plan(graph: Graph, core: Core, *, streamed: bool = True) -> Plan:
    """Choose kernels for `core` and place all buffers.

    Chains of convolutions run band by band where that lowers the arena, unless `streamed` is off: then every op runs
    whole, and its output can be looked at.

    Raises:
        ModelError: an op that no kernel computes (named with its index and the supported ones), or a float model.
    """
    prepared = prepare(graph)
    streamer = Streamer(prepared, layered_calls(prepared, core), storage_of(prepared))
    layered = placed(prepared, streamer.layered())
    best = streamer.best() if streamed else streamer.layered()
    if not best.chains or refused(prepared, best):
        return layered
    made = replace(placed(prepared, best), layered_arena_bytes=layered.arena_bytes)
    return made if made.arena_bytes < layered.arena_bytes else layered


def placed(graph: Graph, schedule: Schedule) -> Plan:
    """The plan of a prepared graph that runs these calls."""
    layout = schedule.layout
    offsets = place(layout.items, layout.leads)
    size = max(arena_bytes(layout.items, offsets), ALIGNMENT)
    places = [
        Buffer(offset, item.size_bytes, item.first, item.last)
        for offset, item in zip(offsets, layout.items, strict=True)
    ]
    return Plan(
        graph=graph,
        steps=tuple(_step(schedule, k, places) for k in range(len(schedule.calls))),
        buffers={tensor: places[item] for tensor, item in layout.item_of_tensor.items()},
        arena_bytes=size,
        const_bytes=const_bytes(graph, schedule.calls),
        lower_bound_bytes=lower_bound(layout.items, layout.leads),
        macs=macs(graph),
        layered_arena_bytes=size,
    )


def _step(schedule: Schedule, k: int, places: list[Buffer]) -> Step:
    step, scratch = step_of(schedule.calls[k]), schedule.layout.scratch_of_call.get(k)
    return step if scratch is None else replace(step, scratch=places[scratch])
