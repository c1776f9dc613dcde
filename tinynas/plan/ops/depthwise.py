"""DEPTHWISE_CONV_2D."""

from __future__ import annotations

from collections.abc import Mapping

from tinynas.graph.ir import Graph, Op
from tinynas.graph.ops import DepthwiseConv2D
from tinynas.plan.fixed_point import activation_range, zero_point_of
from tinynas.plan.kernels import Kernel, Value, register
from tinynas.plan.ops.conv import layout, window_fields
from tinynas.plan.ops.weights import channel_multipliers, folded_bias, not_constant_int8, symmetric_weights
from tinynas.plan.window import large_kernel, not_one_image, window_lead, window_of


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_depthwise_params; weights stay [kh][kw][cout]."""
    assert isinstance(op.attrs, DepthwiseConv2D)
    window = window_of(graph, op)
    output = graph.tensors[op.outputs[0]]
    channels = output.shape[3]
    weights = symmetric_weights(graph.tensors[op.inputs[1]])
    multiplier, shift = channel_multipliers(graph, op, channels)
    act_min, act_max = activation_range(op.attrs.activation, output)
    return {
        "weight": weights,
        "bias": folded_bias(graph, op, weights.reshape(-1, channels).T),
        "multiplier": multiplier,
        "shift": shift,
        **window_fields(window),
        "multiplicity": channels // window.in_shape[2],
        "in_zp": zero_point_of(graph.tensors[op.inputs[0]]),
        "out_zp": zero_point_of(output),
        "act_min": act_min,
        "act_max": act_max,
    }


def refuses(graph: Graph, op: Op) -> str | None:
    """Anything but one image with constant int8 weights."""
    return not_one_image(graph, op) or large_kernel(graph, op) or not_constant_int8(graph, op)


def refuses_but_3x3(graph: Graph, op: Op) -> str | None:
    """Anything but the common 3x3 of one output channel per input channel."""
    if reason := refuses(graph, op):
        return reason
    window = window_of(graph, op)
    common = window.kernel == (3, 3) and window.dilation == (1, 1) and window.in_shape[2] == window.out_shape[2]
    return None if common else f"kernel {window.kernel}, dilation {window.dilation}; wanted 3x3, dilation 1"


register(
    Kernel(
        name="depthwise_s8",
        ops=("DEPTHWISE_CONV_2D",),
        header="tn_depthwise.h",
        params="tn_depthwise_params",
        params_bytes=40,
        pack=pack,
        refuses=refuses,
        layout=layout,
        lead_bytes=window_lead,
    )
)
register(
    Kernel(
        name="depthwise3x3_s8",
        ops=("DEPTHWISE_CONV_2D",),
        header="tn_depthwise.h",
        params="tn_depthwise_params",
        params_bytes=40,
        pack=pack,
        refuses=refuses_but_3x3,
        layout=layout,
        lead_bytes=window_lead,
        rank=1,
    )
)
