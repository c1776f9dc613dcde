"""CONV_2D, and DEPTHWISE_CONV_2D of one input channel, on the DSP extension."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Array, Isa, Kernel, Value, register
from tinynas.plan.ops import conv, depthwise
from tinynas.plan.ops.dsp import GEMM_SOURCES, beyond_gemm, gemm_layout, gemm_weights, round_up4, settled
from tinynas.plan.ops.weights import symmetric_weights
from tinynas.plan.window import window_lead, window_of


def _filters(graph: Graph, op: Op) -> NDArray[np.int8]:
    """(channels, taps) of either kind of convolution."""
    weights = symmetric_weights(graph.tensors[op.inputs[1]])
    if op.kind == "DEPTHWISE_CONV_2D":
        return weights.reshape(-1, weights.shape[3]).T
    return weights.reshape(len(weights), -1)


def _taps(graph: Graph, op: Op) -> int:
    window = window_of(graph, op)
    return window.kernel[0] * window.kernel[1] * window.in_shape[2]


def layout(graph: Graph, op: Op) -> tuple[Array, ...]:
    """As the portable kernel's, weights in the order of tn_dsp_gemm."""
    return gemm_layout(conv.layout(graph, op), graph.tensors[op.outputs[0]].shape[3], _taps(graph, op))


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_conv_params."""
    fields, filters = settled(conv.pack(graph, op), _filters(graph, op))
    return {**fields, "weight": gemm_weights(filters)}


def pack_depthwise(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_conv_params for a depthwise convolution of one input channel."""
    fields, filters = settled(depthwise.pack(graph, op), _filters(graph, op))
    del fields["multiplicity"]
    return {**fields, "out_c": len(filters), "weight": gemm_weights(filters)}


def scratch_bytes(graph: Graph, op: Op) -> int:
    """tn_conv_dsp.h: requantisation records, two pixels' windows as int8 and int16, their outputs."""
    return 18 * round_up4(graph.tensors[op.outputs[0]].shape[3]) + 6 * round_up4(_taps(graph, op))


def scratch_bytes_1x1(graph: Graph, op: Op) -> int:
    """tn_conv_dsp.h: requantisation records, two pixels as int16."""
    return 16 * graph.tensors[op.outputs[0]].shape[3] + 4 * graph.tensors[op.inputs[0]].shape[3]


def refuses(graph: Graph, op: Op) -> str | None:
    """Dilation, and constants that the arithmetic is not exact for."""
    if reason := conv.refuses(graph, op):
        return reason
    if window_of(graph, op).dilation != (1, 1):
        return "dilation; wanted 1"
    return _beyond(graph, op)


def refuses_1x1(graph: Graph, op: Op) -> str | None:
    """Anything but a pointwise convolution of channels by the four."""
    if reason := conv.refuses_but_1x1(graph, op):
        return reason
    window = window_of(graph, op)
    if window.in_shape[2] % 4 or window.out_shape[2] % 4:
        return f"{window.in_shape[2]} to {window.out_shape[2]} channels; wanted multiples of 4"
    return _beyond(graph, op)


def refuses_depthwise(graph: Graph, op: Op) -> str | None:
    """More than one input channel, dilation."""
    if reason := depthwise.refuses(graph, op):
        return reason
    window = window_of(graph, op)
    if window.in_shape[2] != 1 or window.dilation != (1, 1):
        return f"{window.in_shape[2]} input channels, dilation {window.dilation}; wanted 1"
    return _beyond(graph, op)


def _beyond(graph: Graph, op: Op) -> str | None:
    """A weightless graph is taken to stay within the limits."""
    if graph.tensors[op.inputs[1]].data is None:
        return None
    portable = conv.pack if op.kind == "CONV_2D" else depthwise.pack
    return beyond_gemm(*settled(portable(graph, op), _filters(graph, op)))


register(
    Kernel(
        name="conv_dsp_s8",
        ops=("CONV_2D",),
        header="tn_conv_dsp.h",
        params="tn_conv_params",
        params_bytes=40,
        pack=pack,
        refuses=refuses,
        layout=layout,
        scratch_bytes=scratch_bytes,
        lead_bytes=window_lead,
        isa=Isa.DSP,
        shared=GEMM_SOURCES,
    )
)
register(
    Kernel(
        name="conv1x1_dsp_s8",
        ops=("CONV_2D",),
        header="tn_conv_dsp.h",
        params="tn_conv_params",
        params_bytes=40,
        pack=pack,
        refuses=refuses_1x1,
        layout=layout,
        scratch_bytes=scratch_bytes_1x1,
        lead_bytes=window_lead,
        isa=Isa.DSP,
        rank=1,
        shared=GEMM_SOURCES,
    )
)
register(
    Kernel(
        name="depthwise_as_conv_dsp_s8",
        ops=("DEPTHWISE_CONV_2D",),
        header="tn_conv_dsp.h",
        params="tn_conv_params",
        params_bytes=40,
        pack=pack_depthwise,
        refuses=refuses_depthwise,
        layout=layout,
        scratch_bytes=scratch_bytes,
        lead_bytes=window_lead,
        isa=Isa.DSP,
        shared=("tn_conv_dsp_s8.c", *GEMM_SOURCES),
    )
)
