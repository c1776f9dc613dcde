"""Sliding windows: padding, and how far an output may overlap the input it is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from tinynas.graph.ir import Graph, Op
from tinynas.graph.ops import Conv2D, DepthwiseConv2D, Padding, Pool2D

MAX_SIDE = 255  # of a convolution kernel, a stride, a dilation, padding: their fields have 8 bits


@dataclass(frozen=True)
class PaddedConv2D(Conv2D):
    """CONV_2D with padding of its own instead of a scheme; the output's shape says how much follows the input."""

    before: tuple[int, int] = (0, 0)  # rows above, columns to the left


@dataclass(frozen=True)
class PaddedDepthwiseConv2D(DepthwiseConv2D):
    """DEPTHWISE_CONV_2D with padding of its own, as `PaddedConv2D`."""

    before: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Window:
    """One convolution or pooling: shapes in HWC, batch 1."""

    in_shape: tuple[int, int, int]
    out_shape: tuple[int, int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad: tuple[int, int]  # rows above, columns to the left


def pad_before(size: int, out: int, kernel: int, stride: int, dilation: int, padding: Padding) -> int:
    """Padding before the first element along one axis; TensorFlow's SAME puts the odd one after the last."""
    if padding is Padding.VALID:
        return 0
    return max((out - 1) * stride + (kernel - 1) * dilation + 1 - size, 0) // 2


def window_of(graph: Graph, op: Op) -> Window:
    """The window of a CONV_2D, DEPTHWISE_CONV_2D, AVERAGE_POOL_2D or MAX_POOL_2D."""
    attrs = op.attrs
    assert isinstance(attrs, Conv2D | DepthwiseConv2D | Pool2D), op
    in_h, in_w, in_c = graph.tensors[op.inputs[0]].shape[1:]
    out_h, out_w, out_c = graph.tensors[op.outputs[0]].shape[1:]
    if isinstance(attrs, Pool2D):
        kernel, dilation = (attrs.filter_h, attrs.filter_w), (1, 1)
    else:
        kernel_h, kernel_w = graph.tensors[op.inputs[1]].shape[1:3]
        kernel, dilation = (kernel_h, kernel_w), (attrs.dilation_h, attrs.dilation_w)
    stride = (attrs.stride_h, attrs.stride_w)
    if isinstance(attrs, PaddedConv2D | PaddedDepthwiseConv2D):
        pad = attrs.before
    else:
        top, left = (
            pad_before(size, out, k, s, d, attrs.padding)
            for size, out, k, s, d in zip((in_h, in_w), (out_h, out_w), kernel, stride, dilation, strict=True)
        )
        pad = (top, left)
    return Window((in_h, in_w, in_c), (out_h, out_w, out_c), kernel, stride, dilation, pad)


@cache
def pixel_lead_bytes(window: Window) -> int:
    """Least distance by which an int8 output must start before its input, if pixels are computed in order.

    Once pixel i is written, bytes up to (i + 1) * out_c of the output are gone; the earliest input byte that it or
    a later pixel reads must not be among them.
    """
    (_, in_w, in_c), (out_h, out_w, out_c) = window.in_shape, window.out_shape
    top = np.maximum(np.arange(out_h) * window.stride[0] - window.pad[0], 0)
    left = np.maximum(np.arange(out_w) * window.stride[1] - window.pad[1], 0)
    first_read = ((top[:, None] * in_w + left[None, :]) * in_c).ravel()
    still_needed = np.minimum.accumulate(first_read[::-1])[::-1]
    written = np.arange(1, out_h * out_w + 1) * out_c
    return max(0, int(np.max(written - still_needed)))


def window_lead(graph: Graph, op: Op, position: int) -> int | None:
    """`lead_bytes` of a kernel that computes pixel by pixel."""
    return pixel_lead_bytes(window_of(graph, op)) if position == 0 else None


def not_one_image(graph: Graph, op: Op) -> str | None:
    """Refusal of anything but one image in HWC layout, and of windows beyond the parameters' fields."""
    x = graph.tensors[op.inputs[0]]
    if len(x.shape) != 4 or x.shape[0] != 1:
        return f"input {x.name!r} has shape {list(x.shape)}; wanted [1, height, width, channels]"
    window = window_of(graph, op)
    for what, sides in (("stride", window.stride), ("dilation", window.dilation), ("padding", window.pad)):
        if max(sides) > MAX_SIDE:
            return f"{what} {list(sides)}; wanted at most {MAX_SIDE}"
    return None


def large_kernel(graph: Graph, op: Op) -> str | None:
    """Refusal of convolution kernels beyond the parameters' fields; pooling has wider ones."""
    kernel = window_of(graph, op).kernel
    return f"kernel {list(kernel)}; wanted at most {MAX_SIDE} by {MAX_SIDE}" if max(kernel) > MAX_SIDE else None
