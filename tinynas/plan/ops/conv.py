"""CONV_2D."""

from __future__ import annotations

from collections.abc import Mapping

from tinynas.graph.ir import Graph, Op
from tinynas.graph.ops import Conv2D
from tinynas.plan.fixed_point import activation_range, zero_point_of
from tinynas.plan.kernels import Array, Kernel, Value, register
from tinynas.plan.ops.weights import channel_multipliers, folded_bias, not_constant_int8, symmetric_weights
from tinynas.plan.window import Window, large_kernel, not_one_image, window_lead, window_of


def layout(graph: Graph, op: Op) -> tuple[Array, ...]:
    """Weights [cout][kh][kw][cin] and three numbers per output channel."""
    channels = graph.tensors[op.outputs[0]].shape[3]
    return (
        Array("weight", "int8_t", graph.tensors[op.inputs[1]].elements),
        Array("bias", "int32_t", channels),
        Array("multiplier", "int32_t", channels),
        Array("shift", "int8_t", channels),
    )


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_conv_params."""
    assert isinstance(op.attrs, Conv2D)
    window = window_of(graph, op)
    output = graph.tensors[op.outputs[0]]
    weights = symmetric_weights(graph.tensors[op.inputs[1]])
    multiplier, shift = channel_multipliers(graph, op, output.shape[3])
    act_min, act_max = activation_range(op.attrs.activation, output)
    return {
        "weight": weights,
        "bias": folded_bias(graph, op, weights.reshape(output.shape[3], -1)),
        "multiplier": multiplier,
        "shift": shift,
        **window_fields(window),
        "out_c": window.out_shape[2],
        "in_zp": zero_point_of(graph.tensors[op.inputs[0]]),
        "out_zp": zero_point_of(output),
        "act_min": act_min,
        "act_max": act_max,
    }


def window_fields(window: Window) -> dict[str, Value]:
    """The geometry that both kinds of convolution have in their parameters."""
    return {
        "in_h": window.in_shape[0],
        "in_w": window.in_shape[1],
        "in_c": window.in_shape[2],
        "out_h": window.out_shape[0],
        "out_w": window.out_shape[1],
        "k_h": window.kernel[0],
        "k_w": window.kernel[1],
        "stride_h": window.stride[0],
        "stride_w": window.stride[1],
        "dilation_h": window.dilation[0],
        "dilation_w": window.dilation[1],
        "pad_h": window.pad[0],
        "pad_w": window.pad[1],
    }


def refuses(graph: Graph, op: Op) -> str | None:
    """Anything but one image, ungrouped, with constant int8 weights."""
    cin, weight_cin = graph.tensors[op.inputs[0]].shape[-1], graph.tensors[op.inputs[1]].shape[-1]
    if cin != weight_cin:
        return f"grouped convolution ({cin} input channels, {weight_cin} in the weights) is not supported"
    return not_one_image(graph, op) or large_kernel(graph, op) or not_constant_int8(graph, op)


def refuses_but_1x1(graph: Graph, op: Op) -> str | None:
    """Anything but a pointwise convolution."""
    if reason := refuses(graph, op):
        return reason
    window = window_of(graph, op)
    pointwise = window.kernel == window.stride == (1, 1)
    return None if pointwise else f"kernel {window.kernel}, stride {window.stride}; wanted 1x1, stride 1"


register(
    Kernel(
        name="conv_s8",
        ops=("CONV_2D",),
        header="tn_conv.h",
        params="tn_conv_params",
        params_bytes=40,
        pack=pack,
        refuses=refuses,
        layout=layout,
        lead_bytes=window_lead,
    )
)
register(
    Kernel(
        name="conv1x1_s8",
        ops=("CONV_2D",),
        header="tn_conv.h",
        params="tn_conv_params",
        params_bytes=40,
        pack=pack,
        refuses=refuses_but_1x1,
        layout=layout,
        lead_bytes=window_lead,
        rank=1,
    )
)
