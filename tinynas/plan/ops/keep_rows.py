"""Rows moved to the start of their buffer, between two bands of a chain; no op of a network's."""

from __future__ import annotations

from collections.abc import Mapping

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Kernel, Value, register


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_keep_rows_params."""
    return {"bytes": graph.tensors[op.inputs[0]].size_bytes}


def refuses(graph: Graph, op: Op) -> str | None:
    """Nothing."""
    del graph, op
    return None


register(
    Kernel(
        name="keep_rows_s8",
        ops=(),
        header="tn_keep_rows.h",
        params="tn_keep_rows_params",
        params_bytes=4,
        pack=pack,
        refuses=refuses,
    )
)
