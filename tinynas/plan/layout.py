"""What a list of calls asks of the arena: buffers with sizes, lifetimes, and how far they may overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinynas.graph.ir import Graph
from tinynas.plan.arena import Item, aligned
from tinynas.plan.calls import Call
from tinynas.plan.kernels import VIEWS


def storage_of(graph: Graph) -> dict[int, int]:
    """Tensor -> the tensor whose memory it shares (itself unless it is a view)."""
    storage = {i: i for i in range(len(graph.tensors))}
    for op in graph.ops:
        if op.kind in VIEWS:
            storage[op.outputs[0]] = storage[op.inputs[0]]
    return storage


@dataclass(frozen=True)
class Layout:
    """One item per storage that the calls use, then one per call, or chain of calls, that takes scratch."""

    items: tuple[Item, ...]
    leads: Mapping[tuple[int, int], int]  # (input item, output item) -> bytes
    item_of_tensor: Mapping[int, int]
    scratch_of_call: Mapping[int, int]  # call -> item

    @classmethod
    def of(cls, graph: Graph, calls: Sequence[Call], storage: Mapping[int, int], sizes: Mapping[int, int]) -> Layout:
        """`sizes` of tensors of which only a band of rows is kept. A graph's inputs are in use from the start, as all
        are loaded before the first step, its outputs to the end."""
        spans = _spans(graph, calls, storage)
        items = [Item(aligned(sizes.get(t, graph.tensors[t].size_bytes)), *span) for t, span in spans.items()]
        of_storage = {root: k for k, root in enumerate(spans)}
        tensors = {t: of_storage[root] for t, root in storage.items() if root in of_storage}
        leads = _leads(calls, items, tensors)
        scratch: dict[int, int] = {}
        for k, call in enumerate(calls):
            if call.scratch_bytes:
                scratch[k] = len(items)
                items.append(Item(aligned(call.scratch_bytes), k, k))
        return cls(tuple(items), leads, tensors, scratch)


def _spans(graph: Graph, calls: Sequence[Call], storage: Mapping[int, int]) -> dict[int, list[int]]:
    spans: dict[int, list[int]] = {storage[i]: [0, 0] for i in graph.inputs}
    for k, call in enumerate(calls):
        for tensor in call.outputs:
            spans.setdefault(storage[tensor], [k, k])
        for tensor in (*call.inputs, *call.outputs):
            spans[storage[tensor]][1] = k
    for tensor in graph.outputs:
        spans[storage[tensor]][1] = len(calls)
    return spans


def _leads(calls: Sequence[Call], items: Sequence[Item], tensors: Mapping[int, int]) -> dict[tuple[int, int], int]:
    """Overlaps that the kernels allow, of outputs over inputs that die in that step (or before, in its chain)."""
    allowed: dict[tuple[int, int], int] = {}
    for k, call in enumerate(calls):
        output = tensors[call.outputs[0]]
        for tensor, lead in call.leads:
            item = tensors[tensor]
            if items[item].last <= k and item != output:
                allowed[item, output] = aligned(lead)
    return allowed
