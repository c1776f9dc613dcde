"""DEPTHWISE_CONV_2D on Helium: kernels by the size of the window (see tn_depthwise_mve.h)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Array, Isa, Kernel, Value, register
from tinynas.plan.ops import depthwise
from tinynas.plan.ops.mve import LANES, rounding
from tinynas.plan.ops.weights import symmetric_weights
from tinynas.plan.window import Window, window_of

UNIT = 4  # outputs
COLUMN_BYTES = 64  # of a strip: sixteen channels, four rows
CONSTANTS_BYTES = 12  # of a channel: bias, multiplier, shift
MOST_PASSES = 3
PASSES_BYTES = 4096  # of scratch, for more than one pass


@dataclass(frozen=True)
class Shape:
    """One kernel's way through the image: tn_mve_windows."""

    strips: int  # of four input rows
    vectors: int  # of weights
    rows: int  # of outputs at a time
    columns: int  # widest window

    @property
    def reach(self) -> int:
        """Columns that the vectors of a window have words of."""
        return LANES * self.vectors // (4 * self.strips)

    def refuses(self, window: Window) -> str | None:
        """Windows that do not fit into the vectors."""
        height = window.kernel[0] + (self.rows - 1) * window.stride[0]
        strides = (1,) if self.rows == 2 and self.strips == 1 else (1, 2)
        if height > 4 * self.strips or window.kernel[1] > self.columns or window.stride[1] not in strides:
            return f"kernel {window.kernel}, stride {window.stride}"
        if self.rows == 2 and window.stride[0] != window.stride[1]:
            return f"stride {window.stride}; wanted equal ones"
        return None

    def units(self, window: Window) -> int:
        """Of four outputs, in one pass over the width."""
        return -(-window.out_shape[1] * self.rows // UNIT)

    def strip_columns(self, window: Window) -> int:
        """Columns of a strip, padding included."""
        return (self.units(window) * UNIT // self.rows - 1) * window.stride[1] + self.reach

    def pass_bytes(self, window: Window) -> int:
        """Strips and outputs of a pass."""
        return (self.strips * self.strip_columns(window) + self.units(window)) * COLUMN_BYTES

    def passes(self, window: Window) -> int:
        """Passes per channel, so that weights are loaded once for them: up to three, of nearly equal number."""
        total = -(-window.out_shape[0] // self.rows)
        most = max(1, min(MOST_PASSES, PASSES_BYTES // self.pass_bytes(window)))
        return -(-total // -(-total // most))


SHAPES = {
    "depthwise3x3_mve_s8": Shape(strips=1, vectors=1, rows=2, columns=3),
    "depthwise4x4_mve_s8": Shape(strips=1, vectors=1, rows=1, columns=4),
    "depthwise6x6_mve_s8": Shape(strips=2, vectors=3, rows=2, columns=6),
    "depthwise8x8_mve_s8": Shape(strips=2, vectors=4, rows=1, columns=8),
}


def layout(shape: Shape, graph: Graph, op: Op) -> tuple[Array, ...]:
    """Weights and constants as one stream."""
    record_bytes = LANES * shape.vectors + CONSTANTS_BYTES
    return (Array("stream", "int8_t", graph.tensors[op.outputs[0]].shape[3] * record_bytes),)


def pack(shape: Shape, graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_depthwise_mve_params."""
    values, window = depthwise.pack(graph, op), window_of(graph, op)
    kept = ("in_h", "in_w", "out_h", "out_w", "stride_h", "stride_w", "pad_h", "pad_w")
    limits = ("in_zp", "out_zp", "act_min", "act_max")
    return {
        "stream": _stream(shape, values, symmetric_weights(graph.tensors[op.inputs[1]])[0]),
        "channels": window.in_shape[2],
        **{name: values[name] for name in (*kept, *limits)},
        "rounding": rounding(values),
        "passes": shape.passes(window),
    }


def _stream(shape: Shape, values: Mapping[str, Value], weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """Records of the channels; `weights` is (height, width, channels)."""
    height, width, channels = weights.shape
    padded = np.zeros((4 * shape.strips, shape.reach, channels), np.int8)
    padded[:height, :width] = weights
    # (strips, rows, columns, channels) to a channel's words, column by column, strip by strip, of four rows each
    words = padded.reshape(shape.strips, 4, shape.reach, channels).transpose(3, 2, 0, 1)
    constants = [np.broadcast_to(np.asarray(values[name], "<i4"), channels) for name in ("bias", "multiplier", "shift")]
    packed = np.ascontiguousarray(np.stack(constants, axis=1)).view(np.int8)
    return np.concatenate([words.reshape(channels, -1), packed], axis=1).reshape(-1)


def refuses(shape: Shape, graph: Graph, op: Op) -> str | None:
    """Dilation, several outputs per input channel, and windows that do not fit."""
    if reason := depthwise.refuses(graph, op):
        return reason
    window = window_of(graph, op)
    if window.dilation != (1, 1) or window.in_shape[2] != window.out_shape[2]:
        return f"dilation {window.dilation}, {window.in_shape[2]} to {window.out_shape[2]} channels"
    return shape.refuses(window)


def scratch_bytes(shape: Shape, graph: Graph, op: Op) -> int:
    """Strips and outputs of the passes, a pixel of padding and one for outputs beyond the image."""
    window = window_of(graph, op)
    return shape.passes(window) * shape.pass_bytes(window) + 2 * window.in_shape[2]


def lead_bytes(shape: Shape, graph: Graph, op: Op, position: int) -> int | None:
    """Rows are written sixteen channels after the other: until the last of them, their input is needed."""
    window = window_of(graph, op)
    return rows_lead_bytes(window, shape.rows * shape.passes(window)) if position == 0 else None


def rows_lead_bytes(window: Window, rows: int) -> int:
    """Least distance of the output before the input if `rows` output rows are written at a time."""
    (in_h, in_w, channels), (out_h, out_w, _) = window.in_shape, window.out_shape
    lead = 0
    for first in range(0, out_h, rows):
        # one group of channels has been read before it is written; of several, others are still to be read
        needed = first if channels > LANES else first + rows
        row = max(needed * window.stride[0] - window.pad[0], 0)
        if needed < out_h and row < in_h:
            written = min(first + rows, out_h) * out_w * channels
            lead = max(lead, written - row * in_w * channels)
    return lead


for _rank, (_name, _shape) in enumerate(SHAPES.items()):
    register(
        Kernel(
            name=_name,
            ops=("DEPTHWISE_CONV_2D",),
            header="tn_depthwise_mve.h",
            params="tn_depthwise_mve_params",
            params_bytes=24,
            pack=partial(pack, _shape),
            refuses=partial(refuses, _shape),
            layout=partial(layout, _shape),
            scratch_bytes=partial(scratch_bytes, _shape),
            lead_bytes=partial(lead_bytes, _shape),
            isa=Isa.MVE,
            rank=1 + len(SHAPES) - _rank,
            shared=("tn_mve_depthwise.c",),
        )
    )
