"""Graph -> Plan: kernels, lifetimes, offsets. Works on weightless graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinynas.graph.ir import Graph, Op
from tinynas.graph.stats import macs
from tinynas.lab.board import Core
from tinynas.plan.arena import ALIGNMENT, Item, aligned, arena_bytes, lower_bound, place
from tinynas.plan.fusion import Ops, call_groups, called_op
from tinynas.plan.kernels import VIEWS, Kernel, choose
from tinynas.plan.plan import Buffer, Plan, Step
from tinynas.plan.prepare import prepare


def plan(graph: Graph, core: Core) -> Plan:
    """Choose kernels for `core` and place all buffers.

    Raises:
        ModelError: an op that no kernel computes (named with its index and the supported ones), or a float model.
    """
    prepared = prepare(graph)
    calls = _calls(prepared, core)
    storage = _storage(prepared)
    layout = _Layout.of(prepared, calls, storage)
    items, leads = layout.items, layout.leads(prepared, calls)
    offsets = place(items, leads)
    buffers = {
        tensor: Buffer(offsets[item], items[item].size_bytes, items[item].first, items[item].last)
        for tensor, item in layout.item_of_tensor.items()
    }
    return Plan(
        graph=prepared,
        steps=tuple(_step(call, layout.scratch_buffer(k, offsets)) for k, call in enumerate(calls)),
        buffers=buffers,
        arena_bytes=max(arena_bytes(items, offsets), ALIGNMENT),
        const_bytes=sum(call.kernel.const_bytes(prepared, call.op) for call in calls),
        lower_bound_bytes=lower_bound(items, leads),
        macs=macs(prepared),
    )


@dataclass(frozen=True)
class _Call:
    ops: Ops
    op: Op  # what they amount to
    kernel: Kernel
    inputs: tuple[int, ...]  # tensors in the arena, in the order of the op's inputs
    outputs: tuple[int, ...]


def _calls(graph: Graph, core: Core) -> list[_Call]:
    """One call per op that needs code, or per group of ops that one kernel computes, in the graph's order."""
    calls = []
    for ops in call_groups(graph, core):
        op, kernel = called_op(graph, ops), choose(graph, ops[-1], core)
        calls.append(_Call(ops, op, kernel, kernel.arena_inputs(graph, op), op.outputs))
    return calls


def _step(call: _Call, scratch: Buffer | None) -> Step:
    return Step(call.kernel.name, call.ops, call.inputs, call.outputs, scratch)


def _storage(graph: Graph) -> dict[int, int]:
    """Tensor -> the tensor whose memory it shares (itself unless it is a view)."""
    storage = {i: i for i in range(len(graph.tensors))}
    for op in graph.ops:
        if op.kind in VIEWS:
            storage[op.outputs[0]] = storage[op.inputs[0]]
    return storage


@dataclass(frozen=True)
class _Layout:
    """What is to be placed: one item per storage, then one per call that takes scratch."""

    items: tuple[Item, ...]
    item_of_tensor: dict[int, int]
    scratch_of_call: dict[int, int]  # call -> item

    @classmethod
    def of(cls, graph: Graph, calls: Sequence[_Call], storage: dict[int, int]) -> _Layout:
        """Inputs are in use from the start (all are loaded before the first step), outputs to the end."""
        spans: dict[int, list[int]] = {storage[i]: [0, 0] for i in graph.inputs}
        for k, call in enumerate(calls):
            for tensor in call.outputs:
                spans.setdefault(storage[tensor], [k, k])
            for tensor in (*call.inputs, *call.outputs):
                spans[storage[tensor]][1] = k
        for tensor in graph.outputs:
            spans[storage[tensor]][1] = len(calls)
        items = [Item(aligned(graph.tensors[root].size_bytes), *span) for root, span in spans.items()]
        of_storage = {root: k for k, root in enumerate(spans)}
        scratch: dict[int, int] = {}
        for k, call in enumerate(calls):
            if size := call.kernel.scratch_bytes(graph, call.op):
                scratch[k] = len(items)
                items.append(Item(aligned(size), k, k))
        tensors = {t: of_storage[root] for t, root in storage.items() if root in of_storage}
        return cls(tuple(items), tensors, scratch)

    def leads(self, graph: Graph, calls: Sequence[_Call]) -> dict[tuple[int, int], int]:
        """Overlaps that the kernels allow, of outputs over inputs that die in that step."""
        allowed: dict[tuple[int, int], int] = {}
        for k, call in enumerate(calls):
            output = self.item_of_tensor[call.outputs[0]]
            for tensor in set(call.inputs):
                item = self.item_of_tensor[tensor]
                leads = [call.kernel.lead_bytes(graph, call.op, p) for p, t in enumerate(call.op.inputs) if t == tensor]
                known = [lead for lead in leads if lead is not None]
                if self.items[item].last == k and item != output and len(known) == len(leads) == 1:
                    allowed[item, output] = aligned(known[0])
        return allowed

    def scratch_buffer(self, call: int, offsets: Sequence[int]) -> Buffer | None:
        if call not in self.scratch_of_call:
            return None
        item = self.scratch_of_call[call]
        return Buffer(offsets[item], self.items[item].size_bytes, call, call)
