"""SPLIT into equal parts."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Kernel, Value, constant, register


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_split_params."""
    x, part = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    axis = int(constant(graph.tensors[op.inputs[1]]).ravel()[0]) % len(x.shape)
    return {
        "outer": math.prod(x.shape[:axis]),
        "bytes": math.prod(part.shape[axis:]),
        "parts": len(op.outputs),
    }


def refuses(graph: Graph, op: Op) -> str | None:
    """An axis that is computed."""
    return None if graph.tensors[op.inputs[1]].const else "the axis must be constant"


register(
    Kernel(
        name="split_s8",
        ops=("SPLIT",),
        header="tn_split.h",
        params="tn_split_params",
        params_bytes=12,
        pack=pack,
        refuses=refuses,
        several_outputs=True,
    )
)
