"""TRANSPOSE."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Kernel, Value, constant, register


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_transpose_params."""
    shape = graph.tensors[op.inputs[0]].shape
    order = [int(axis) for axis in constant(graph.tensors[op.inputs[1]]).ravel()]
    strides = np.cumprod((1, *shape[:0:-1]))[::-1]
    missing = 5 - len(shape)
    return {
        "dims": (1,) * missing + tuple(shape[axis] for axis in order),
        "stride": (0,) * missing + tuple(int(strides[axis]) for axis in order),
    }


def refuses(graph: Graph, op: Op) -> str | None:
    """A computed permutation, and more than five axes."""
    if not graph.tensors[op.inputs[1]].const:
        return "the permutation must be constant"
    rank = len(graph.tensors[op.inputs[0]].shape)
    return f"{rank} axes; wanted at most 5" if rank > 5 else None


register(
    Kernel(
        name="transpose_s8",
        ops=("TRANSPOSE",),
        header="tn_transpose.h",
        params="tn_transpose_params",
        params_bytes=32,
        pack=pack,
        refuses=refuses,
    )
)
