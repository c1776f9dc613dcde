"""Constant folding: what a converter leaves to compute shapes at run time becomes constants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tinynas.graph import ops
from tinynas.graph.ir import DType, Graph, Op, Tensor
from tinynas.graph.prune import without_ops

Array = NDArray[np.generic]


def fold_constants(graph: Graph) -> Graph:
    """The graph without ops whose result is known: SHAPE, and integer ops on constants.

    RESHAPE then names its output's shape as a constant. Outputs of the graph stay computed. Idempotent.
    """
    folded: set[int] = set()
    for index, op in enumerate(graph.ops):
        value = _value(graph, op)
        if value is not None:
            graph = graph.with_tensors({op.outputs[0]: _constant(graph.tensors[op.outputs[0]], value)})
            folded.add(index)
    return without_ops(_with_plain_reshapes(graph), folded)


def _value(graph: Graph, op: Op) -> Array | None:
    """The op's result if it can be known now."""
    if op.outputs[0] in graph.outputs:
        return None
    if op.kind == "SHAPE":
        return np.array(graph.tensors[op.inputs[0]].shape, np.int32)
    rule = _RULES.get(op.kind)
    values = [graph.tensors[i].data for i in op.inputs if i >= 0]
    known = [value for value in values if value is not None]
    integer = graph.tensors[op.outputs[0]].dtype is DType.INT32
    return rule(op, known) if rule and integer and len(known) == len(values) else None


def _constant(tensor: Tensor, value: Array) -> Tensor:
    assert value.shape == tensor.shape, (tensor.name, value.shape, tensor.shape)
    return replace(tensor, data=value.astype(tensor.dtype.numpy), const=True)


def _strided_slice(op: Op, values: list[Array]) -> Array | None:
    """None where new axes or an ellipsis are asked for: no converter does that to a shape."""
    attrs = op.attrs
    assert isinstance(attrs, ops.StridedSlice)
    data, *bounds = values
    if attrs.ellipsis_mask or attrs.new_axis_mask or attrs.offset:
        return None
    begins, ends, strides = ([int(v) for v in bound.flat] for bound in bounds)
    index: list[slice | int] = []
    for axis, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        first = None if attrs.begin_mask >> axis & 1 else begin
        last = None if attrs.end_mask >> axis & 1 else end
        index.append(begin if attrs.shrink_axis_mask >> axis & 1 else slice(first, last, stride))
    return np.asarray(data[tuple(index)])


def _pack(op: Op, values: list[Array]) -> Array:
    assert isinstance(op.attrs, ops.Pack)
    return np.stack(values, op.attrs.axis)


def _concatenation(op: Op, values: list[Array]) -> Array:
    assert isinstance(op.attrs, ops.Concatenation)
    return np.concatenate(values, op.attrs.axis)


def _gather(op: Op, values: list[Array]) -> Array | None:
    assert isinstance(op.attrs, ops.Gather)
    data, indices = values
    return np.take(data, indices.astype(np.int64), op.attrs.axis) if op.attrs.batch_dims == 0 else None


def _reshape(op: Op, values: list[Array]) -> Array:
    assert isinstance(op.attrs, ops.Reshape)
    wanted = tuple(int(v) for v in values[1].flat) if len(values) > 1 else op.attrs.new_shape
    return values[0].reshape(wanted)


_RULES: dict[str, Callable[[Op, list[Array]], Array | None]] = {
    "STRIDED_SLICE": _strided_slice,
    "PACK": _pack,
    "CONCATENATION": _concatenation,
    "GATHER": _gather,
    "RESHAPE": _reshape,
}


def _with_plain_reshapes(graph: Graph) -> Graph:
    """Each RESHAPE states its output's shape: in its attributes, and in its second input where it has one."""
    changes, changed_ops = {}, []
    for op in graph.ops:
        shape = graph.tensors[op.outputs[0]].shape
        if op.kind == "RESHAPE":
            op = replace(op, attrs=ops.Reshape(shape))  # noqa: PLW2901 - the op as it shall be
            for index in op.inputs[1:]:
                if graph.tensors[index].const and graph.tensors[index].shape == (len(shape),):
                    changes[index] = replace(graph.tensors[index], data=np.array(shape, np.int32))
        changed_ops.append(op)
    return replace(graph.with_tensors(changes), ops=tuple(changed_ops))
