"""DEPTHWISE_CONV_2D on the DSP extension: one kernel per side (3, 5, 7) and stride (1, 2)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Isa, Kernel, Value, register
from tinynas.plan.ops import depthwise
from tinynas.plan.ops.conv import layout
from tinynas.plan.ops.dsp import COMMON_SOURCES, beyond_limits, settled
from tinynas.plan.ops.weights import symmetric_weights
from tinynas.plan.window import Window, window_of

SMALL_MAP_BYTES = 6144  # these are computed in one strip
MOST_RECORD_WORDS = 2048  # of all channels; beyond, four channels' are made at a time, again for every strip
LEAD_BYTES = 2048  # strips grow until their lead is about this large
SIDES_AND_STRIDES = ((3, 1), (3, 2), (5, 1), (5, 2), (7, 1), (7, 2))


def _filters(graph: Graph, op: Op) -> NDArray[np.int8]:
    """(channels, taps)."""
    weights = symmetric_weights(graph.tensors[op.inputs[1]])
    return weights.reshape(-1, weights.shape[3]).T


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_depthwise_params; weights stay [kh][kw][cout]."""
    fields, filters = settled(depthwise.pack(graph, op), _filters(graph, op))
    return {**fields, "weight": filters.T}


def refuses(side: int, stride: int, graph: Graph, op: Op) -> str | None:
    """Other windows, several outputs per input channel, and less than four channels."""
    if reason := depthwise.refuses(graph, op):
        return reason
    window = window_of(graph, op)
    if (window.kernel, window.stride, window.dilation) != ((side, side), (stride, stride), (1, 1)):
        return f"kernel {window.kernel}, stride {window.stride}, dilation {window.dilation}; wanted {side}, {stride}, 1"
    channels = window.in_shape[2]
    if channels < 4 or channels != window.out_shape[2]:
        return f"{channels} to {window.out_shape[2]} channels; wanted as many, at least 4"
    if graph.tensors[op.inputs[1]].data is None:
        return None  # a weightless graph is taken to stay within the limits
    return beyond_limits(*settled(depthwise.pack(graph, op), _filters(graph, op)))


def scratch_bytes(graph: Graph, op: Op) -> int:
    """Weights and requantisation of every channel as the loops read them (of four at a time, if that is much); a
    strip's input rows of four channels."""
    window = window_of(graph, op)
    side, stride = window.kernel[0], window.stride[0]
    record_words = 4 + side * (side - 1 if stride == 1 else side // 2 + 1)
    row_words = -(-window.out_shape[1] // 2) * stride + side // 2
    lines = strip_lines(window)
    rows = ((lines + lines % 2 if side == 3 else lines) - 1) * stride + side  # 3x3 computes two output rows together
    records = window.in_shape[2] if window.in_shape[2] * record_words <= MOST_RECORD_WORDS else 4
    return 4 * (records * record_words + 4 * row_words * rows)


def strip_lines(window: Window) -> int:
    """Output rows computed together (tn_dsp_depthwise.c)."""
    step, (out_h, out_w, channels) = window.kernel[0] - 1, window.out_shape
    if math.prod(window.in_shape) <= SMALL_MAP_BYTES:
        return out_h
    most = LEAD_BYTES // (out_w * channels) - step - window.pad[0]  # one strip more would exceed LEAD_BYTES
    lines = step
    while window.stride[0] == 1 and lines < out_h and lines <= most:
        lines += step
    return lines


def lead_bytes(graph: Graph, op: Op, position: int) -> int | None:
    """Four channels of a strip are written before the next four are read."""
    return strip_lead_bytes(window_of(graph, op)) if position == 0 else None


def strip_lead_bytes(window: Window) -> int:
    """Least distance by which the output must start before the input: no strip is written over rows it reads."""
    (in_h, in_w, channels), (out_h, out_w, _) = window.in_shape, window.out_shape
    lines, lead = strip_lines(window), 0
    for first in range(0, out_h, lines):
        written = min(first + lines, out_h) * out_w
        read_from = min(max(first * window.stride[0] - window.pad[0], 0), in_h) * in_w
        lead = max(lead, (written - read_from) * channels)
    return lead


def _register(side: int, stride: int) -> None:
    name = f"{side}x{side}" + ("_stride2" if stride == 2 else "")
    register(
        Kernel(
            name=f"depthwise{name}_dsp_s8",
            ops=("DEPTHWISE_CONV_2D",),
            header="tn_depthwise_dsp.h",
            params="tn_depthwise_params",
            params_bytes=40,
            pack=pack,
            refuses=partial(refuses, side, stride),
            layout=layout,
            scratch_bytes=scratch_bytes,
            lead_bytes=lead_bytes,
            isa=Isa.DSP,
            shared=(
                f"tn_dsp_strip{name}.c",
                *(() if name == "3x3" else ("tn_dsp_strip.c",)),
                "tn_dsp_depthwise.c",
                "tn_dsp_spread.c",
                "tn_dsp_weight_pairs.c",
                *COMMON_SOURCES,
            ),
        )
    )


for _side, _stride in SIDES_AND_STRIDES:
    _register(_side, _stride)
