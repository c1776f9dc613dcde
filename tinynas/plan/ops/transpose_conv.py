"""TRANSPOSE_CONV. As a kernel sees it, its inputs are x, weights [cout,kh,kw,cin] and bias."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tinynas.graph.ir import Graph, Op
from tinynas.graph.ops import TransposeConv
from tinynas.plan.fixed_point import activation_range, zero_point_of
from tinynas.plan.kernels import Kernel, Value, register
from tinynas.plan.ops.conv import layout
from tinynas.plan.ops.weights import bias_of, channel_multipliers, not_constant_int8, symmetric_weights
from tinynas.plan.window import MAX_SIDE, pad_before


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_transpose_conv_params; padding is that of the convolution from the output to the input."""
    assert isinstance(op.attrs, TransposeConv)
    x, weights, output = (graph.tensors[i] for i in (op.inputs[0], op.inputs[1], op.outputs[0]))
    (_, in_h, in_w, in_c), (_, out_h, out_w, out_c), (k_h, k_w) = x.shape, output.shape, weights.shape[1:3]
    multiplier, shift = channel_multipliers(graph, op, out_c)
    act_min, act_max = activation_range(op.attrs.activation, output)
    return {
        "weight": symmetric_weights(weights),
        "bias": bias_of(graph, op, out_c).astype(np.int32),
        "multiplier": multiplier,
        "shift": shift,
        "in_h": in_h,
        "in_w": in_w,
        "in_c": in_c,
        "out_h": out_h,
        "out_w": out_w,
        "out_c": out_c,
        "k_h": k_h,
        "k_w": k_w,
        "stride_h": op.attrs.stride_h,
        "stride_w": op.attrs.stride_w,
        "pad_h": pad_before(out_h, in_h, k_h, op.attrs.stride_h, 1, op.attrs.padding),
        "pad_w": pad_before(out_w, in_w, k_w, op.attrs.stride_w, 1, op.attrs.padding),
        "in_zp": zero_point_of(x),
        "out_zp": zero_point_of(output),
        "act_min": act_min,
        "act_max": act_max,
    }


def refuses(graph: Graph, op: Op) -> str | None:
    """Anything but one image with constant int8 weights, and windows beyond the parameters' fields."""
    assert isinstance(op.attrs, TransposeConv)
    x, weights = graph.tensors[op.inputs[0]], graph.tensors[op.inputs[1]]
    if len(x.shape) != 4 or x.shape[0] != 1:
        return f"input {x.name!r} has shape {list(x.shape)}; wanted [1, height, width, channels]"
    sides = (*weights.shape[1:3], op.attrs.stride_h, op.attrs.stride_w)
    if max(sides) > MAX_SIDE:
        return f"kernel and stride {list(sides)}; wanted at most {MAX_SIDE}"
    return not_constant_int8(graph, op)


register(
    Kernel(
        name="transpose_conv_s8",
        ops=("TRANSPOSE_CONV",),
        header="tn_transpose_conv.h",
        params="tn_transpose_conv_params",
        params_bytes=40,
        pack=pack,
        refuses=refuses,
        layout=layout,
    )
)
