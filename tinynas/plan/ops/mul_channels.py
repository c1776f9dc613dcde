"""MUL of a map by one factor per channel: what squeeze-and-excitation needs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Isa, Kernel, Value, in_place, register
from tinynas.plan.ops import binary
from tinynas.plan.ops.dsp import MIN_SHIFT, number

_KEPT = ("multiplier", "shift", "zp_a", "zp_b", "zp_out", "act_min", "act_max")


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_mul_channels_params."""
    x, factors = (graph.tensors[i] for i in op.inputs)
    values = binary.pack_mul(graph, op)
    sizes = {"pixels": x.elements // factors.elements, "channels": factors.elements}
    return {**sizes, **{name: values[name] for name in _KEPT}}


def refuses(graph: Graph, op: Op) -> str | None:
    """Any operands but a map and then a vector of its last axis."""
    if reason := binary.refuses(graph, op):
        return reason
    x, factors, output = (graph.tensors[i].shape for i in (*op.inputs, *op.outputs))
    if x != output or factors[-1:] != x[-1:] or any(size > 1 for size in factors[:-1]):
        return f"shapes {list(x)} and {list(factors)}; wanted a factor for each element of the last axis"
    return None


def refuses_but_fours(most: int, graph: Graph, op: Op) -> str | None:
    """Channels that do not come by the four, and shifts outside of the arithmetic's range."""
    if reason := refuses(graph, op):
        return reason
    channels = graph.tensors[op.outputs[0]].shape[-1]
    if channels % 4:
        return f"{channels} channels; wanted a multiple of 4"
    if any(graph.tensors[i].quant is None for i in (*op.inputs, *op.outputs)):
        return None  # not quantised yet: taken to stay within the limits
    shift = number(binary.pack_mul(graph, op), "shift")
    return None if MIN_SHIFT <= shift <= most else f"requantisation shift {shift}; wanted {MIN_SHIFT} to {most}"


def scratch_bytes(graph: Graph, op: Op) -> int:
    """The factors as int16."""
    return 2 * graph.tensors[op.inputs[1]].elements


def lead_bytes(graph: Graph, op: Op, position: int) -> int | None:
    """In place of the map; the factors are read for every pixel."""
    return in_place(graph, op, position) if position == 0 else None


_kernel = partial(
    Kernel,
    ops=("MUL",),
    params="tn_mul_channels_params",
    params_bytes=20,
    pack=pack,
    lead_bytes=lead_bytes,
    operands=2,
)
register(_kernel(name="mul_channels_s8", header="tn_binary.h", refuses=refuses, rank=1))
register(
    _kernel(
        name="mul_channels_dsp_s8",
        header="tn_binary_dsp.h",
        refuses=partial(refuses_but_fours, -1),
        scratch_bytes=scratch_bytes,
        isa=Isa.DSP,
        shared=("tn_dsp_clamp.c",),
    )
)
register(
    _kernel(name="mul_channels_mve_s8", header="tn_binary_mve.h", refuses=partial(refuses_but_fours, 0), isa=Isa.MVE)
)
