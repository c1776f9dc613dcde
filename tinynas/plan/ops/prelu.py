"""PRELU."""

from __future__ import annotations

from collections.abc import Mapping

from tinynas.graph.ir import Graph, Op
from tinynas.plan.fixed_point import quantize_multiplier, scale_of, zero_point_of
from tinynas.plan.kernels import Kernel, Value, in_place, register
from tinynas.plan.ops.binary import broadcast_fields, refuses


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_prelu_params (CalculatePreluParams, tflite micro prelu_common.cc)."""
    x, alpha, output = (graph.tensors[i] for i in (*op.inputs, *op.outputs))
    multiplier, shift = quantize_multiplier(scale_of(x) / scale_of(output))
    negative, shift_negative = quantize_multiplier(scale_of(x) * scale_of(alpha) / scale_of(output))
    return {
        "shape": broadcast_fields(graph, op),
        "multiplier": multiplier,
        "multiplier_negative": negative,
        "shift": shift,
        "shift_negative": shift_negative,
        "zp_in": zero_point_of(x),
        "zp_alpha": zero_point_of(alpha),
        "zp_out": zero_point_of(output),
    }


register(
    Kernel(
        name="prelu_s8",
        ops=("PRELU",),
        header="tn_prelu.h",
        params="tn_prelu_params",
        params_bytes=56,
        pack=pack,
        refuses=refuses,
        lead_bytes=in_place,
        operands=2,
    )
)
