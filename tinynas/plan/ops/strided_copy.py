"""TRANSPOSE and STRIDED_SLICE: elements at regular distances of the input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinynas.graph.ir import Graph, Op
from tinynas.graph.ops import StridedSlice
from tinynas.plan.kernels import Kernel, Value, constant, register


@dataclass(frozen=True)
class _Copy:
    """Per output axis its length and the distance of neighbours in the input."""

    dims: Sequence[int]
    strides: Sequence[int]
    start: int = 0


def _transpose(graph: Graph, op: Op) -> _Copy:
    shape = graph.tensors[op.inputs[0]].shape
    order = _integers(graph, op.inputs[1])
    strides = _element_strides(shape)
    return _Copy([shape[axis] for axis in order], [strides[axis] for axis in order])


def _strided_slice(graph: Graph, op: Op) -> _Copy:
    """An axis that is dropped (shrink_axis_mask) has length 1 here."""
    assert isinstance(op.attrs, StridedSlice)
    shape = graph.tensors[op.inputs[0]].shape
    begins, ends, steps = (_integers(graph, i) for i in op.inputs[1:4])
    dims, strides, start = [], [], 0
    for axis, (size, stride) in enumerate(zip(shape, _element_strides(shape), strict=True)):
        bit = 1 << axis
        if op.attrs.shrink_axis_mask & bit:
            taken = range(begins[axis] % size, begins[axis] % size + 1)
        else:
            first = None if op.attrs.begin_mask & bit else begins[axis]
            last = None if op.attrs.end_mask & bit else ends[axis]
            taken = range(*slice(first, last, steps[axis]).indices(size))
        dims.append(len(taken))
        strides.append(taken.step * stride)
        start += taken.start * stride
    return _Copy(dims, strides, start)


_COPIES: Mapping[str, Callable[[Graph, Op], _Copy]] = {"TRANSPOSE": _transpose, "STRIDED_SLICE": _strided_slice}


def _integers(graph: Graph, tensor: int) -> list[int]:
    return [int(value) for value in constant(graph.tensors[tensor]).ravel()]


def _element_strides(shape: Sequence[int]) -> list[int]:
    return [int(stride) for stride in np.cumprod((1, *shape[:0:-1]))[::-1]]


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_strided_copy_params."""
    copy = _COPIES[op.kind](graph, op)
    missing = 5 - len(copy.dims)
    return {
        "dims": (1,) * missing + tuple(copy.dims),
        "stride": (0,) * missing + tuple(copy.strides),
        "start": copy.start,
    }


def refuses(graph: Graph, op: Op) -> str | None:
    """Arguments that are computed, more than five axes, and slices that add or skip axes."""
    if not all(graph.tensors[i].const for i in op.inputs[1:]):
        return "permutation, begin, end and strides must be constant"
    attrs = op.attrs
    if isinstance(attrs, StridedSlice) and (attrs.ellipsis_mask or attrs.new_axis_mask or attrs.offset):
        return "ellipsis, new axes and offsets are not supported"
    rank = len(graph.tensors[op.inputs[0]].shape)
    return f"{rank} axes; wanted at most 5" if rank > 5 else None


register(
    Kernel(
        name="strided_copy_s8",
        ops=tuple(_COPIES),
        header="tn_strided_copy.h",
        params="tn_strided_copy_params",
        params_bytes=36,
        pack=pack,
        refuses=refuses,
    )
)
