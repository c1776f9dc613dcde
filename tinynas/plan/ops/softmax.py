"""SOFTMAX over the last axis."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tinynas.graph.ir import Graph, Op
from tinynas.graph.ops import Softmax
from tinynas.plan.fixed_point import quantize_multiplier, scale_of
from tinynas.plan.kernels import Kernel, Value, in_place, register, rows_of, too_many_rows

DIFF_INTEGER_BITS = 5  # exp's argument is Q5.26 (tflite reference/softmax.h)


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_softmax_params (PreprocessSoftmaxScaling, CalculateInputRadius in quantization_util.cc)."""
    assert isinstance(op.attrs, Softmax)
    x = graph.tensors[op.inputs[0]]
    scaled = op.attrs.beta * scale_of(x) * 2.0 ** (31 - DIFF_INTEGER_BITS)
    multiplier, shift = quantize_multiplier(min(scaled, 2.0**31 - 1))
    radius = math.floor((2**DIFF_INTEGER_BITS - 1) * 2.0 ** (31 - DIFF_INTEGER_BITS) / 2.0**shift)
    return {
        "rows": rows_of(graph, op),
        "depth": x.shape[-1],
        "multiplier": multiplier,
        "diff_min": -min(radius, 256),  # a difference of int8 values is at least -255
        "shift": shift,
    }


register(
    Kernel(
        name="softmax_s8",
        ops=("SOFTMAX",),
        header="tn_softmax.h",
        params="tn_softmax_params",
        params_bytes=16,
        pack=pack,
        refuses=too_many_rows,
        lead_bytes=in_place,
    )
)
