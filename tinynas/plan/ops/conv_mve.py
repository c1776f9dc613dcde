"""CONV_2D, and DEPTHWISE_CONV_2D of one input channel, on Helium."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Array, Isa, Kernel, Value, register
from tinynas.plan.ops import conv, depthwise
from tinynas.plan.ops.conv import window_fields
from tinynas.plan.ops.mve import (
    BLOCK_ROWS,
    FEW_ROWS,
    GEMM_SOURCES,
    LANES,
    block_lead_bytes,
    matrix,
    round_up,
    stream,
    stream_array,
)
from tinynas.plan.ops.weights import symmetric_weights
from tinynas.plan.window import Window, window_of

GATHERED_BYTES = 2048  # of windows at a time; more saves nothing noticeable
MOST_TAPS = 2**16 - 1


def _taps(window: Window) -> int:
    return window.kernel[0] * window.kernel[1] * window.in_shape[2]


def _batch(window: Window) -> int:
    """Pixels that are gathered together: blocks of three rows of the matrix product, or what it takes at once."""
    taps = round_up(_taps(window), LANES)
    if taps == LANES:
        return FEW_ROWS
    return min(max(GATHERED_BYTES // taps // BLOCK_ROWS, 1) * BLOCK_ROWS, FEW_ROWS)


def _filters(graph: Graph, op: Op) -> NDArray[np.int8]:
    """(channels, taps) of either kind of convolution."""
    weights = symmetric_weights(graph.tensors[op.inputs[1]])
    if op.kind == "DEPTHWISE_CONV_2D":
        return weights.reshape(-1, weights.shape[3]).T
    return weights.reshape(len(weights), -1)


def layout(graph: Graph, op: Op) -> tuple[Array, ...]:
    """Weights and constants as one stream."""
    window = window_of(graph, op)
    return (stream_array(window.out_shape[2], _taps(window)),)


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_conv_mve_params."""
    portable = conv.pack if op.kind == "CONV_2D" else depthwise.pack
    values, filters, window = portable(graph, op), _filters(graph, op), window_of(graph, op)
    return {
        "stream": stream(values, filters),
        "matrix": matrix(values, filters),
        **window_fields(window),
        "batch": _batch(window),
        "in_zp": values["in_zp"],
    }


def pack_1x1(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_conv1x1_mve_params."""
    values, filters = conv.pack(graph, op), _filters(graph, op)
    height, width, _ = window_of(graph, op).out_shape
    return {"stream": stream(values, filters), "matrix": matrix(values, filters), "pixels": height * width}


def refuses(graph: Graph, op: Op) -> str | None:
    """Windows too large for the matrix."""
    if reason := conv.refuses(graph, op):
        return reason
    return _too_large(graph, op)


def refuses_1x1(graph: Graph, op: Op) -> str | None:
    """Anything but a pointwise convolution."""
    return conv.refuses_but_1x1(graph, op)


def refuses_depthwise(graph: Graph, op: Op) -> str | None:
    """More than one input channel."""
    if reason := depthwise.refuses(graph, op):
        return reason
    channels = window_of(graph, op).in_shape[2]
    return f"{channels} input channels; wanted 1" if channels != 1 else _too_large(graph, op)


def _too_large(graph: Graph, op: Op) -> str | None:
    taps = _taps(window_of(graph, op))
    return f"{taps} products per output; wanted at most {MOST_TAPS}" if taps > MOST_TAPS else None


def scratch_bytes(graph: Graph, op: Op) -> int:
    """A batch of windows, and what a vector's store may add."""
    window = window_of(graph, op)
    return _batch(window) * round_up(_taps(window), LANES) + LANES


def lead_bytes(graph: Graph, op: Op, position: int) -> int | None:
    """A batch is gathered before it is written."""
    window = window_of(graph, op)
    return block_lead_bytes(window, _batch(window), gathered=True) if position == 0 else None


def lead_bytes_1x1(graph: Graph, op: Op, position: int) -> int | None:
    """Rows of the matrix are read until the last filter is done."""
    window = window_of(graph, op)
    rows = FEW_ROWS if window.in_shape[2] <= LANES else BLOCK_ROWS
    return block_lead_bytes(window, rows, gathered=False) if position == 0 else None


register(
    Kernel(
        name="conv_mve_s8",
        ops=("CONV_2D",),
        header="tn_conv_mve.h",
        params="tn_conv_mve_params",
        params_bytes=32,
        pack=pack,
        refuses=refuses,
        layout=layout,
        scratch_bytes=scratch_bytes,
        lead_bytes=lead_bytes,
        isa=Isa.MVE,
        shared=GEMM_SOURCES,
    )
)
register(
    Kernel(
        name="conv1x1_mve_s8",
        ops=("CONV_2D",),
        header="tn_conv_mve.h",
        params="tn_conv1x1_mve_params",
        params_bytes=16,
        pack=pack_1x1,
        refuses=refuses_1x1,
        layout=layout,
        lead_bytes=lead_bytes_1x1,
        isa=Isa.MVE,
        rank=1,
        shared=GEMM_SOURCES,
    )
)
register(
    Kernel(
        name="depthwise_as_conv_mve_s8",
        ops=("DEPTHWISE_CONV_2D",),
        header="tn_conv_mve.h",
        params="tn_conv_mve_params",
        params_bytes=32,
        pack=pack,
        refuses=refuses_depthwise,
        layout=layout,
        scratch_bytes=scratch_bytes,
        lead_bytes=lead_bytes,
        isa=Isa.MVE,
        shared=("tn_conv_mve_s8.c", *GEMM_SOURCES),
    )
)
