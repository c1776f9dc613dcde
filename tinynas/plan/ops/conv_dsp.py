"""CONV_2D, and DEPTHWISE_CONV_2D of one input channel, on the DSP extension."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Array, Isa, Kernel, Value, register
from tinynas.plan.ops import conv, depthwise
from tinynas.plan.ops.dsp import GEMM_SOURCES, beyond_gemm, gemm_layout, gemm_weights, round_up4, settled
from tinynas.plan.ops.weights import symmetric_weights
from tinynas.plan.window import Window, window_of


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
    return 18 * round_up4(graph.tensors[op.outputs[0]].shape[3]) + 6 * round_up4(_taps(graph, op)) + 8


def scratch_bytes_1x1(graph: Graph, op: Op) -> int:
    """tn_conv_dsp.h: requantisation records, two pixels as int16."""
    return 16 * graph.tensors[op.outputs[0]].shape[3] + 4 * graph.tensors[op.inputs[0]].shape[3]


def lead_bytes(graph: Graph, op: Op, position: int) -> int | None:
    """Pixels are written two by two, after both windows have been read."""
    return pair_lead_bytes(window_of(graph, op)) if position == 0 else None


@cache
def pair_lead_bytes(window: Window) -> int:
    """Least distance by which the output must start before the input: no pair is written over what later ones read."""
    (_, in_w, in_c), (out_h, out_w, out_c) = window.in_shape, window.out_shape
    top = np.maximum(np.arange(out_h) * window.stride[0] - window.pad[0], 0)
    left = np.maximum(np.arange(out_w) * window.stride[1] - window.pad[1], 0)
    first_read = ((top[:, None] * in_w + left[None, :]) * in_c).ravel()
    needed_later = np.minimum.accumulate(first_read[::-1])[::-1][2::2]
    written = 2 * out_c * np.arange(1, len(needed_later) + 1)
    return max(0, int(np.max(written - needed_later, initial=0)))


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
        lead_bytes=lead_bytes,
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
        lead_bytes=lead_bytes,
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
        lead_bytes=lead_bytes,
        isa=Isa.DSP,
        shared=("tn_conv_dsp_s8.c", *GEMM_SOURCES),
    )
)
