"""FULLY_CONNECTED on Helium."""

from __future__ import annotations

from collections.abc import Mapping

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Array, Isa, Kernel, Value, register
from tinynas.plan.ops import fully_connected
from tinynas.plan.ops.mve import GEMM_SOURCES, matrix, stream, stream_array
from tinynas.plan.ops.weights import symmetric_weights


def layout(graph: Graph, op: Op) -> tuple[Array, ...]:
    """Weights and constants as one stream."""
    return (stream_array(*graph.tensors[op.inputs[1]].shape),)


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_fully_connected_mve_params."""
    values, weights = fully_connected.pack(graph, op), symmetric_weights(graph.tensors[op.inputs[1]])
    return {"stream": stream(values, weights), "matrix": matrix(values, weights), "rows": values["rows"]}


register(
    Kernel(
        name="fully_connected_mve_s8",
        ops=("FULLY_CONNECTED",),
        header="tn_fully_connected_mve.h",
        params="tn_fully_connected_mve_params",
        params_bytes=16,
        pack=pack,
        refuses=fully_connected.refuses,
        layout=layout,
        isa=Isa.MVE,
        shared=GEMM_SOURCES,
    )
)
