"""ADD of two tensors of one shape on the DSP extension."""

from __future__ import annotations

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Isa, Kernel, in_place, register
from tinynas.plan.ops import binary
from tinynas.plan.ops.dsp import MIN_SHIFT, number


def refuses(graph: Graph, op: Op) -> str | None:
    """Unequal shapes, and scales that the arithmetic is not exact for (the larger input scale's factor is 1/2)."""
    if reason := binary.refuses_broadcast(graph, op):
        return reason
    if any(graph.tensors[i].quant is None for i in (*op.inputs, *op.outputs)):
        return None  # not quantised yet: taken to stay within the limits
    fields = binary.pack_add(graph, op)
    for name, most in (("shift_a", 0), ("shift_b", 0), ("shift_out", -1)):
        shift = number(fields, name)
        if not MIN_SHIFT <= shift <= most:
            return f"requantisation shift {shift}; wanted {MIN_SHIFT} to {most}"
    return None


register(
    Kernel(
        name="add_dsp_s8",
        ops=("ADD",),
        header="tn_binary_dsp.h",
        params="tn_add_params",
        params_bytes=28,
        pack=binary.pack_add,
        refuses=refuses,
        lead_bytes=in_place,
        operands=2,
        isa=Isa.DSP,
        shared=("tn_dsp_clamp.c",),
    )
)
