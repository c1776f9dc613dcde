"""PAD and PADV2."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.ir import Graph, Op
from tinynas.plan.fixed_point import zero_point_of
from tinynas.plan.kernels import Kernel, Value, constant, register


def amounts(graph: Graph, op: Op) -> NDArray[np.int64]:
    """(4, 2): elements before and after each of four axes."""
    given = constant(graph.tensors[op.inputs[1]]).astype(np.int64).reshape(-1, 2)
    return np.concatenate([np.zeros((4 - len(given), 2), np.int64), given])


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_pad_params; PAD fills with real 0, PADV2 with its third input."""
    x = graph.tensors[op.inputs[0]]
    padding = amounts(graph, op)
    fills = op.inputs[2:]
    value = int(constant(graph.tensors[fills[0]]).ravel()[0]) if fills else zero_point_of(graph.tensors[op.outputs[0]])
    return {
        "in": (1,) * (4 - len(x.shape)) + x.shape,
        "before": tuple(int(n) for n in padding[:, 0]),
        "after": tuple(int(n) for n in padding[:, 1]),
        "value": value,
    }


def refuses(graph: Graph, op: Op) -> str | None:
    """Amounts that are computed, and more than four axes."""
    if not graph.tensors[op.inputs[1]].const:
        return "the amounts of padding must be constant"
    rank = len(graph.tensors[op.inputs[0]].shape)
    return f"{rank} axes; wanted at most 4" if rank > 4 else None


def lead_bytes(graph: Graph, op: Op, position: int) -> int | None:
    """The copied rows move towards the end only: safe as soon as the last input byte is read before it is passed."""
    if position != 0:
        return None
    return graph.tensors[op.outputs[0]].size_bytes - graph.tensors[op.inputs[0]].size_bytes


register(
    Kernel(
        name="pad_s8",
        ops=("PAD", "PADV2"),
        header="tn_pad.h",
        params="tn_pad_params",
        params_bytes=26,
        pack=pack,
        refuses=refuses,
        lead_bytes=lead_bytes,
    )
)
