"""What a network's calls ask of the arena: items with sizes and lifetimes, and which item a tensor or scratch is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tinynas.graph.ir import Graph
from tinynas.plan.arena import Item, aligned
from tinynas.plan.bands import ChainFacts, chain_facts, in_bands, links_of
from tinynas.plan.blocks import Cut
from tinynas.plan.calls import Call
from tinynas.plan.kernels import VIEWS
from tinynas.plan.options import Action, Option


def storage_of(graph: Graph) -> dict[int, int]:
    """Tensor -> the tensor whose memory it shares (itself unless it is a view)."""
    storage = {i: i for i in range(len(graph.tensors))}
    for op in graph.ops:
        if op.kind in VIEWS:
            storage[op.outputs[0]] = storage[op.inputs[0]]
    return storage


@dataclass(frozen=True)
class Part:
    """A stretch of an item that a tensor or a call's scratch has for itself."""

    item: int
    offset: int  # bytes from the item's start
    size_bytes: int


@dataclass
class Layout:
    """The calls that are made, and one item per tensor that they pass on, then one per action with memory of its own.

    What an action has of its own, its scratch and the rows that a chain keeps between its calls, lies in one piece.
    """

    calls: list[Call] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    leads: dict[tuple[int, int], int] = field(default_factory=dict)  # (input item, output item) -> bytes
    tensors: dict[int, Part] = field(default_factory=dict)  # by storage
    scratch: dict[int, Part] = field(default_factory=dict)  # by call
    own: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict)  # (cut, action) -> items

    @classmethod
    def of(
        cls,
        graph: Graph,
        calls: Sequence[Call],
        storage: Mapping[int, int],
        cuts: Sequence[Cut],
        options: Sequence[Option],
    ) -> Layout:
        """A graph's inputs are in use from the start, as all are loaded before the first step; outputs to the end."""
        layout, actions = cls(), []
        for place, (cut, option) in enumerate(zip(cuts, options, strict=True)):
            for k, action in enumerate(option.actions):
                actions.append((place, k, cut, action, len(layout.calls)))
                whole = calls[cut.first + action.first : cut.first + action.end]
                layout.calls += in_bands(whole, action.band_rows) if action.band_rows else whole
        spans = spans_of(graph, layout.calls, storage)
        layout._add_tensors(graph, spans, {s for *_, cut, action, _ in actions for s in _inside(cut, action)})
        for place, k, cut, action, first in actions:
            layout._add_action((place, k), cut, action, first)
        return layout

    def _add_tensors(self, graph: Graph, spans: Mapping[int, tuple[int, int]], inside: set[int]) -> None:
        for root, span in spans.items():
            if root not in inside:
                size = aligned(graph.tensors[root].size_bytes)
                self.tensors[root] = Part(len(self.items), 0, size)
                self.items.append(Item(size, *span))

    def _add_action(self, place: tuple[int, int], cut: Cut, action: Action, first: int) -> None:
        for tensor, lead in action.leads:
            source, target = (self.tensors[cut.storages[t]].item for t in (tensor, action.outputs[0]))
            self.leads[source, target] = lead
        facts = _chain_facts(cut, action)
        early = facts.early_calls if facts and action.frees_early else 0
        ends = (first, first + early, first + action.calls)
        numbers = range(len(self.items), len(self.items) + len(action.own))
        self.items += [Item(own.size_bytes, ends[own.first], ends[own.last + 1] - 1) for own in action.own]
        self.own[place] = tuple(numbers)
        offset = 0
        for root, size in zip(_inside(cut, action), facts.buffer_bytes if facts else (), strict=True):
            self.tensors[root] = Part(numbers[0], offset, size)
            offset += size
        for k in range(first, first + action.calls):
            if self.calls[k].scratch_bytes:
                part = numbers[1 if k < ends[1] else 2] if early else numbers[0]
                size = aligned(self.calls[k].scratch_bytes)
                self.scratch[k] = Part(part, 0 if early else offset, size)


def _inside(cut: Cut, action: Action) -> list[int]:
    """Storages of the tensors between a chain's calls."""
    works = cut.block.works[action.first : action.end - 1] if action.band_rows else ()
    return [cut.storages[work.outputs[0]] for work in works]


def _chain_facts(cut: Cut, action: Action) -> ChainFacts | None:
    if not action.band_rows:
        return None
    return chain_facts(links_of(cut.block.works[action.first : action.end]), action.band_rows)


def spans_of(graph: Graph, calls: Sequence[Call], storage: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """First and last call of each storage's use."""
    spans: dict[int, list[int]] = {storage[i]: [0, 0] for i in graph.inputs}
    for k, call in enumerate(calls):
        for tensor in call.outputs:
            spans.setdefault(storage[tensor], [k, k])
        for tensor in (*call.inputs, *call.outputs):
            spans[storage[tensor]][1] = k
    for tensor in graph.outputs:
        spans[storage[tensor]][1] = len(calls)
    return {root: (first, last) for root, (first, last) in spans.items()}
