"""Kernel calls before they have places: what each one computes, and the memory and flash it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinynas.graph.ir import Graph, Op
from tinynas.lab.board import Core
from tinynas.plan.fusion import KEEP_ROWS, Ops, banded, call_groups, called_op
from tinynas.plan.kernels import Kernel, choose
from tinynas.plan.plan import Band, Step


@dataclass(frozen=True)
class Call:
    """One kernel call, as a `Step` will be; `band` says which rows, if it is one of a chain that runs in bands."""

    ops: Ops
    op: Op  # what they amount to
    kernel: Kernel
    inputs: tuple[int, ...]  # tensors in the arena, in the order of the op's inputs
    outputs: tuple[int, ...]
    scratch_bytes: int
    leads: tuple[tuple[int, int], ...]  # input that the output may overlap if it dies here -> bytes
    band: Band | None = None


def layered_calls(graph: Graph, core: Core) -> list[Call]:
    """One call per op that needs code, or per group of ops that one kernel computes, in the graph's order."""
    return [_call(graph, ops, choose(graph, ops[-1], core)) for ops in call_groups(graph, core)]


def _call(graph: Graph, ops: Ops, kernel: Kernel) -> Call:
    op = called_op(graph, ops)
    inputs = kernel.arena_inputs(graph, op)
    leads = [
        (tensor, leads[0])
        for tensor in dict.fromkeys(inputs)
        if len(leads := [kernel.lead_bytes(graph, op, place) for place, t in enumerate(op.inputs) if t == tensor]) == 1
    ]
    known = tuple((tensor, lead) for tensor, lead in leads if lead is not None)
    return Call(ops, op, kernel, inputs, op.outputs, kernel.scratch_bytes(graph, op), known)


def const_bytes(graph: Graph, steps: Sequence[Call]) -> int:
    """Flash of all parameters and constants; the bands of an op share its arrays."""
    total, seen = 0, set[Ops]()
    for call in steps:
        part, op = banded(graph, call.op, call.band)
        if call.kernel.name != KEEP_ROWS and call.ops not in seen:
            seen.add(call.ops)
            total += call.kernel.const_bytes(part, op)
        else:
            total += -(-call.kernel.params_bytes // 4) * 4
    return total


def step_of(call: Call) -> Step:
    """The step of a call, without its scratch memory."""
    return Step(call.kernel.name, call.ops, call.inputs, call.outputs, None, call.band)
