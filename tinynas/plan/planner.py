"""Graph -> Plan: kernels, fusion, lifetimes, offsets. Works on weightless graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinynas.graph.ir import Graph
from tinynas.graph.stats import macs
from tinynas.lab.board import Core
from tinynas.plan.arena import ALIGNMENT, arena_bytes, lower_bound, place
from tinynas.plan.block_table import BlockTable, solvable
from tinynas.plan.blocks import Cut, Cutter
from tinynas.plan.calls import Call, layered_calls, step_of
from tinynas.plan.layout import Layout, spans_of, storage_of
from tinynas.plan.options import Option, layered
from tinynas.plan.placement import offsets_within
from tinynas.plan.plan import Buffer, Plan, Step
from tinynas.plan.prepare import prepare
from tinynas.plan.solve import arenas, choose_options, solve


def plan(graph: Graph, core: Core, *, streamed: bool = True) -> Plan:
    """Choose kernels for `core` and place all buffers.

    Chains of convolutions run band by band where that lowers the arena, unless `streamed` is off: then every op runs
    whole, and its output can be looked at.

    Raises:
        ModelError: an op that no kernel computes (named with its index and the supported ones), or a float model.
    """
    network = Network(prepare(graph), core)
    whole = network.layered()
    if not streamed:
        return network.placed(whole)
    made = network.placed(*network.best())
    if all(step.band is None for step in made.steps):
        return made
    layered_bytes = network.arena_bytes(whole)
    if made.arena_bytes >= layered_bytes:  # where offsets are searched for, that may have more luck with whole calls
        return network.placed(whole)
    return replace(made, layered_arena_bytes=layered_bytes)


class Network:
    """A prepared graph as blocks, each of which has options."""

    def __init__(self, graph: Graph, core: Core) -> None:
        self.graph = graph
        self.calls: list[Call] = layered_calls(graph, core)
        self.storage = storage_of(graph)
        self.cuts: list[Cut] = Cutter(graph, self.calls, self.storage).cuts()

    def layered(self) -> list[Option]:
        """Every op whole."""
        return [layered(cut.block) for cut in self.cuts]

    def best(self) -> tuple[list[Option], int | None]:
        """The options that together take least memory and fewest calls; and their arena, if it is known."""
        table = BlockTable()
        blocks = np.array([table.numbers([cut.block for cut in self.cuts])])
        if self._solvable(self.layered()):
            solution = solve(table, blocks)
            chosen, arena = solution.options, int(solution.arena_bytes[0])
        else:
            chosen, arena = choose_options(table.needs[blocks], table.calls[blocks]), None
        return [table.options[block][option] for block, option in zip(blocks[0], chosen[0], strict=True)], arena

    def arena_bytes(self, chosen: Sequence[Option]) -> int:
        """Size of the arena if the blocks run so."""
        return max(self._least_arena(chosen), ALIGNMENT) if self._solvable(chosen) else self.placed(chosen).arena_bytes

    def placed(self, chosen: Sequence[Option], arena: int | None = None) -> Plan:
        """The plan whose blocks run so; `arena`, if known, is the size of the smallest one for them."""
        layout = Layout.of(self.graph, self.calls, self.storage, self.cuts, chosen)
        if arena is None and self._solvable(chosen):
            arena = self._least_arena(chosen)
        if arena is not None:
            offsets = offsets_within(arena, self.cuts, chosen, layout)
        else:
            offsets = place(layout.items, layout.leads)
        size = max(arena_bytes(layout.items, offsets), ALIGNMENT)
        return Plan(
            graph=self.graph,
            steps=_steps(layout, offsets),
            buffers=_buffers(self.graph, self.storage, layout, offsets),
            arena_bytes=size,
            const_bytes=sum(option.const_bytes for option in chosen),
            lower_bound_bytes=lower_bound(layout.items, layout.leads),
            macs=macs(self.graph),
            layered_arena_bytes=size,
        )

    def _solvable(self, chosen: Sequence[Option]) -> bool:
        return all(solvable(cut.block, option) for cut, option in zip(self.cuts, chosen, strict=True))

    def _least_arena(self, chosen: Sequence[Option]) -> int:
        table = BlockTable([(cut.block, (option,)) for cut, option in zip(self.cuts, chosen, strict=True)])
        blocks = np.arange(len(self.cuts))[None]
        return int(arenas(table, blocks, np.zeros_like(blocks))[0])


def _steps(layout: Layout, offsets: Sequence[int]) -> tuple[Step, ...]:
    steps = [step_of(call) for call in layout.calls]
    for k, part in layout.scratch.items():
        steps[k] = replace(steps[k], scratch=Buffer(offsets[part.item] + part.offset, part.size_bytes, k, k))
    return tuple(steps)


def _buffers(graph: Graph, storage: dict[int, int], layout: Layout, offsets: Sequence[int]) -> dict[int, Buffer]:
    spans = spans_of(graph, layout.calls, storage)
    places = {
        root: Buffer(offsets[part.item] + part.offset, part.size_bytes, *spans[root])
        for root, part in layout.tensors.items()
    }
    return {tensor: places[root] for tensor, root in storage.items() if root in places}
