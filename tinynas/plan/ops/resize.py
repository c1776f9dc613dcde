"""RESIZE_BILINEAR."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.ir import Graph, Op
from tinynas.graph.ops import Resize
from tinynas.plan.kernels import Array, Kernel, Value, register

ONE = 1024  # shares have 10 fraction bits


def layout(graph: Graph, op: Op) -> tuple[Array, ...]:
    """Two indices and a share per output row and column."""
    _, height, width, _ = graph.tensors[op.outputs[0]].shape
    return (Array("row", "int16_t", 3 * height), Array("column", "int16_t", 3 * width))


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_resize_bilinear_params."""
    assert isinstance(op.attrs, Resize)
    (_, in_h, in_w, channels), (_, out_h, out_w, _) = (graph.tensors[i].shape for i in (op.inputs[0], op.outputs[0]))
    return {
        "row": between(in_h, out_h, op.attrs),
        "column": between(in_w, out_w, op.attrs),
        "in_w": in_w,
        "channels": channels,
        "out_h": out_h,
        "out_w": out_w,
    }


def between(size: int, out: int, attrs: Resize) -> NDArray[np.int16]:
    """(out, 3): two input indices, and the way from the first to the second in 1/1024.

    ComputeInterpolationValuesInteger, tflite reference/resize_bilinear.h.
    """
    spread, count = (size - 1, out - 1) if attrs.align_corners and out > 1 else (size, out)
    scale = (ONE * spread + count // 2) // count
    start = scale // 2 - ONE // 2 if attrs.half_pixel_centers else 0
    at = start + scale * np.arange(out, dtype=np.int64)
    first = np.maximum(at // ONE, 0)
    second = np.minimum(np.maximum(-(-at // ONE), 0), size - 1)
    return np.stack([first, second, at - ONE * first], 1).astype(np.int16)


def not_an_image(graph: Graph, op: Op) -> str | None:
    """Refusal of anything but one image in HWC layout, and of a size that is computed."""
    x = graph.tensors[op.inputs[0]]
    if len(x.shape) != 4 or x.shape[0] != 1:
        return f"input {x.name!r} has shape {list(x.shape)}; wanted [1, height, width, channels]"
    return None if graph.tensors[op.inputs[1]].const else "the size must be constant"


def refuses(graph: Graph, op: Op) -> str | None:
    """Also enlargements so great that the interpreter, whose steps are rounded, would read beyond the image."""
    assert isinstance(op.attrs, Resize)
    if reason := not_an_image(graph, op):
        return reason
    for axis in (1, 2):
        size, out = (graph.tensors[i].shape[axis] for i in (op.inputs[0], op.outputs[0]))
        if max(size, out) > np.iinfo(np.int16).max or between(size, out, op.attrs)[:, 0].max() >= size:
            return f"from {size} to {out} elements along axis {axis} is beyond TFLite's arithmetic"
    return None


register(
    Kernel(
        name="resize_bilinear_s8",
        ops=("RESIZE_BILINEAR",),
        header="tn_resize.h",
        params="tn_resize_bilinear_params",
        params_bytes=16,
        pack=pack,
        refuses=refuses,
        layout=layout,
    )
)
