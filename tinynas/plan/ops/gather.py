"""GATHER and RESIZE_NEAREST_NEIGHBOR: elements picked along one or two axes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.ir import Graph, Op
from tinynas.graph.ops import Gather, Resize
from tinynas.plan.fixed_point import tflite_round
from tinynas.plan.kernels import Array, Kernel, Value, constant, register
from tinynas.plan.ops.resize import not_an_image

Indices = NDArray[np.uint16]


def layout(graph: Graph, op: Op) -> tuple[Array, ...]:
    """An index per output row and column."""
    rows, columns = _out_sides(graph, op)
    return (Array("row", "uint16_t", rows), Array("column", "uint16_t", columns))


def _out_sides(graph: Graph, op: Op) -> tuple[int, int]:
    if isinstance(op.attrs, Gather):
        return 1, graph.tensors[op.inputs[1]].elements
    _, height, width, _ = graph.tensors[op.outputs[0]].shape
    return height, width


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_gather_params."""
    return _pack_gather(graph, op) if isinstance(op.attrs, Gather) else _pack_nearest(graph, op)


def _pack_gather(graph: Graph, op: Op) -> Mapping[str, Value]:
    assert isinstance(op.attrs, Gather)
    shape = graph.tensors[op.inputs[0]].shape
    axis = op.attrs.axis % len(shape)
    indices = constant(graph.tensors[op.inputs[1]]).astype(np.uint16).ravel()
    return {
        "row": np.zeros(1, np.uint16),
        "column": indices,
        "outer": math.prod(shape[:axis]),
        "inner": math.prod(shape[axis + 1 :]),
        "in_rows": 1,
        "in_columns": shape[axis],
        "out_rows": 1,
        "out_columns": len(indices),
    }


def _pack_nearest(graph: Graph, op: Op) -> Mapping[str, Value]:
    assert isinstance(op.attrs, Resize)
    (_, in_h, in_w, channels), (_, out_h, out_w, _) = (graph.tensors[i].shape for i in (op.inputs[0], op.outputs[0]))
    return {
        "row": nearest(in_h, out_h, op.attrs),
        "column": nearest(in_w, out_w, op.attrs),
        "outer": 1,
        "inner": channels,
        "in_rows": in_h,
        "in_columns": in_w,
        "out_rows": out_h,
        "out_columns": out_w,
    }


def nearest(size: int, out: int, attrs: Resize) -> Indices:
    """Input index of each output index (GetNearestNeighbor, tflite reference/resize_nearest_neighbor.h), in float32."""
    ends = attrs.align_corners and out > 1
    scale = np.float32(size - 1) / np.float32(out - 1) if ends else np.float32(size) / np.float32(out)
    offset = np.float32(0.5 if attrs.half_pixel_centers else 0.0)
    positions = ((np.arange(out, dtype=np.float32) + offset) * scale).tolist()
    rounded = [tflite_round(p) if attrs.align_corners else math.floor(p) for p in positions]
    return np.array([min(max(index, 0), size - 1) for index in rounded], np.uint16)


def refuses(graph: Graph, op: Op) -> str | None:
    """Indices that are computed or outside, batch dimensions; for images what `not_an_image` says."""
    if isinstance(op.attrs, Resize):
        return not_an_image(graph, op)
    assert isinstance(op.attrs, Gather)
    indices, x = graph.tensors[op.inputs[1]], graph.tensors[op.inputs[0]]
    if not indices.const or op.attrs.batch_dims:
        return "indices must be constant, without batch dimensions"
    values = None if indices.data is None else indices.data.astype(np.int64)
    side = x.shape[op.attrs.axis]
    if values is not None and (values.min(initial=0) < 0 or values.max(initial=0) >= side):
        return f"indices {values.min()} to {values.max()}; wanted 0 to {side - 1}"
    return None


register(
    Kernel(
        name="gather_s8",
        ops=("GATHER", "RESIZE_NEAREST_NEIGHBOR"),
        header="tn_gather.h",
        params="tn_gather_params",
        params_bytes=24,
        pack=pack,
        refuses=refuses,
        layout=layout,
    )
)
