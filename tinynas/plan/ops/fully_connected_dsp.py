"""FULLY_CONNECTED on the DSP extension."""

from __future__ import annotations

from collections.abc import Mapping

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Array, Isa, Kernel, Value, register
from tinynas.plan.ops import fully_connected
from tinynas.plan.ops.dsp import GEMM_SOURCES, beyond_gemm, gemm_layout, gemm_weights, round_up4, settled
from tinynas.plan.ops.weights import symmetric_weights

CHUNK = 32  # channels whose records are in scratch at a time, with their outputs


def layout(graph: Graph, op: Op) -> tuple[Array, ...]:
    """As the portable kernel's, weights in the order of tn_dsp_gemm."""
    channels, taps = graph.tensors[op.inputs[1]].shape
    return gemm_layout(fully_connected.layout(graph, op), channels, taps)


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_fully_connected_params."""
    weights = symmetric_weights(graph.tensors[op.inputs[1]])
    fields, weights = settled(fully_connected.pack(graph, op), weights)
    return {**fields, "weight": gemm_weights(weights)}


def scratch_bytes(graph: Graph, op: Op) -> int:
    """tn_fully_connected_dsp.h: a chunk's requantisation records and outputs, the inputs as int16."""
    return 17 * CHUNK + 2 * round_up4(graph.tensors[op.inputs[1]].shape[1])


def refuses(graph: Graph, op: Op) -> str | None:
    """Constants that the arithmetic is not exact for; a weightless graph is taken to have none."""
    if reason := fully_connected.refuses(graph, op):
        return reason
    if graph.tensors[op.inputs[1]].shape[0] < 4:
        return "less than 4 outputs: rounded up to 4, the weights would take more flash than time is saved"
    if graph.tensors[op.inputs[1]].data is None:
        return None
    weights = symmetric_weights(graph.tensors[op.inputs[1]])
    return beyond_gemm(*settled(fully_connected.pack(graph, op), weights))


register(
    Kernel(
        name="fully_connected_dsp_s8",
        ops=("FULLY_CONNECTED",),
        header="tn_fully_connected_dsp.h",
        params="tn_fully_connected_params",
        params_bytes=28,
        pack=pack,
        refuses=refuses,
        layout=layout,
        scratch_bytes=scratch_bytes,
        isa=Isa.DSP,
        shared=GEMM_SOURCES,
    )
)
