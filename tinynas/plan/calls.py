"""Kernel calls before they have places: what each one computes, and the memory and flash it takes."""

from __future__ import annotations

from dataclasses import dataclass

from tinynas.graph.ir import Graph, Op
from tinynas.lab.board import Core
from tinynas.plan.convs import Conv, Link, conv_facts, conv_kernel, is_conv
from tinynas.plan.fusion import Ops, call_groups, called_op
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
    const_bytes: int  # flash of parameters and constants, if it runs whole
    conv: Conv | None = None  # if it is a convolution
    band: Band | None = None

    @property
    def link(self) -> Link | None:
        """As what it may be part of a chain in bands."""
        return None if self.conv is None else (self.kernel.name, self.conv)


def layered_calls(graph: Graph, core: Core) -> list[Call]:
    """One call per op that needs code, or per group of ops that one kernel computes, in the graph's order."""
    return [_call(graph, ops, core) for ops in call_groups(graph, core)]


def _call(graph: Graph, ops: Ops, core: Core) -> Call:
    op = called_op(graph, ops)
    if is_conv(op) and not graph.tensors[op.inputs[0]].const:
        return _conv_call(graph, ops, op, conv_kernel(graph, ops[-1], core))
    kernel = choose(graph, ops[-1], core)
    inputs = kernel.arena_inputs(graph, op)
    leads = [
        (tensor, leads[0])
        for tensor in dict.fromkeys(inputs)
        if len(leads := [kernel.lead_bytes(graph, op, place) for place, t in enumerate(op.inputs) if t == tensor]) == 1
    ]
    known = tuple((tensor, lead) for tensor, lead in leads if lead is not None)
    scratch_bytes = kernel.scratch_bytes(graph, op)
    return Call(ops, op, kernel, inputs, op.outputs, scratch_bytes, known, kernel.const_bytes(graph, op))


def _conv_call(graph: Graph, ops: Ops, op: Op, kernel: Kernel) -> Call:
    conv = Conv.of(graph, op)
    facts = conv_facts(kernel.name, conv)
    leads = () if facts.lead_bytes is None else ((op.inputs[0], facts.lead_bytes),)
    return Call(ops, op, kernel, op.inputs[:1], op.outputs, facts.scratch_bytes, leads, facts.const_bytes, conv)


def step_of(call: Call) -> Step:
    """The step of a call, without its scratch memory."""
    return Step(call.kernel.name, call.ops, call.inputs, call.outputs, None, call.band)
