"""ADD and SUB of two tensors of one shape on Helium."""

from __future__ import annotations

from tinynas.graph.ir import Graph, Op
from tinynas.plan.fixed_point import quantize_multiplier, scale_of
from tinynas.plan.kernels import Isa, Kernel, in_place, register
from tinynas.plan.ops import binary


def refuses(graph: Graph, op: Op) -> str | None:
    """Unequal shapes, and an output finer than 2^-20 of twice the coarser input, which no quantisation makes."""
    if reason := binary.refuses_broadcast(graph, op):
        return reason
    tensors = [graph.tensors[i] for i in (*op.inputs, *op.outputs)]
    if any(tensor.quant is None for tensor in tensors):
        return None
    a, b, output = (scale_of(tensor) for tensor in tensors)
    _, shift = quantize_multiplier(2.0 * max(a, b) / (2.0**binary.ADD_LEFT_SHIFT * output))
    return f"output scale {output} for inputs of {a} and {b}" if shift > 0 else None


register(
    Kernel(
        name="add_mve_s8",
        ops=("ADD", "SUB"),
        header="tn_binary_mve.h",
        params="tn_add_params",
        params_bytes=28,
        pack=binary.pack_add,
        refuses=refuses,
        lead_bytes=in_place,
        operands=2,
        isa=Isa.MVE,
    )
)
