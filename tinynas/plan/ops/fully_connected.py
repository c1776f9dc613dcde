"""FULLY_CONNECTED."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.ir import Graph, Op
from tinynas.graph.ops import FullyConnected
from tinynas.plan.fixed_point import activation_range, quantize_multipliers, scale_of, zero_point_of
from tinynas.plan.kernels import MAX_AXIS, Array, Kernel, Value, register, too_many_rows
from tinynas.plan.ops.weights import channel_multipliers, folded_bias, not_constant_int8, symmetric_weights


def layout(graph: Graph, op: Op) -> tuple[Array, ...]:
    """Weights [cout][cin], a bias per channel, one requantisation factor per scale of the weights."""
    channels, scales = graph.tensors[op.inputs[1]].shape[0], _scales(graph, op)
    return (
        Array("weight", "int8_t", graph.tensors[op.inputs[1]].elements),
        Array("bias", "int32_t", channels),
        Array("multiplier", "int32_t", scales),
        Array("shift", "int8_t", scales),
    )


def _scales(graph: Graph, op: Op) -> int:
    quant = graph.tensors[op.inputs[1]].quant
    return 1 if quant is None else len(quant.scale)


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_fully_connected_params."""
    assert isinstance(op.attrs, FullyConnected)
    output = graph.tensors[op.outputs[0]]
    weights = symmetric_weights(graph.tensors[op.inputs[1]])
    multiplier, shift = _multipliers(graph, op)
    act_min, act_max = activation_range(op.attrs.activation, output)
    return {
        "weight": weights,
        "bias": folded_bias(graph, op, weights),
        "multiplier": multiplier,
        "shift": shift,
        "rows": output.elements // weights.shape[0],
        "in_c": weights.shape[1],
        "out_c": weights.shape[0],
        "per_channel": int(_scales(graph, op) > 1),
        "out_zp": zero_point_of(output),
        "act_min": act_min,
        "act_max": act_max,
    }


def _multipliers(graph: Graph, op: Op) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    if _scales(graph, op) > 1:
        return channel_multipliers(graph, op, graph.tensors[op.inputs[1]].shape[0])
    x, weights, output = (graph.tensors[i] for i in (op.inputs[0], op.inputs[1], op.outputs[0]))
    # GetQuantizedConvolutionMultipler (tflite/kernels/kernel_util.cc) multiplies the two scales in float32
    product = np.float32(scale_of(x)) * np.float32(scale_of(weights))
    return quantize_multipliers(np.array([float(product) / scale_of(output)]))


def refuses(graph: Graph, op: Op) -> str | None:
    """Weights that are not constant int8, sizes beyond 16 bits."""
    weights = graph.tensors[op.inputs[1]]
    if max(weights.shape) > MAX_AXIS:
        return f"weights {weights.name!r} have shape {list(weights.shape)}; wanted axes of at most {MAX_AXIS}"
    return not_constant_int8(graph, op) or too_many_rows(graph, op)


register(
    Kernel(
        name="fully_connected_s8",
        ops=("FULLY_CONNECTED",),
        header="tn_fully_connected.h",
        params="tn_fully_connected_params",
        params_bytes=28,
        pack=pack,
        refuses=refuses,
        layout=layout,
    )
)
