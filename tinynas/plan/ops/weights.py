"""What convolutions and fully connected layers share: folded biases and requantisation constants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import ModelError
from tinynas.graph.ir import DType, Graph, Op, Tensor
from tinynas.plan.fixed_point import quantize_multipliers, scale_of, zero_point_of
from tinynas.plan.kernels import constant


def symmetric_weights(tensor: Tensor) -> NDArray[np.int8]:
    """int8 data of a weight tensor whose zero points are 0, as TFLite's int8 kernels demand."""
    if tensor.quant is None or np.any(tensor.quant.zero_point != 0):
        raise ModelError(f"weights {tensor.name!r} are not symmetric int8; run `tinynas convert` on the float model")
    return constant(tensor).astype(np.int8)


def not_constant_int8(graph: Graph, op: Op) -> str | None:
    """Refusal of weights that are computed, or of another type."""
    weights = graph.tensors[op.inputs[1]]
    if not weights.const:
        return f"weights {weights.name!r} are not constant"
    if weights.dtype is not DType.INT8:
        return f"weights {weights.name!r} are {weights.dtype}; wanted int8"
    return None


def folded_bias(graph: Graph, op: Op, weights: NDArray[np.int8]) -> NDArray[np.int32]:
    """Bias minus in_zp * the sum of a channel's weights; `weights` has shape (channels, taps).

    sum((x - zp) * w) + b = sum(x * w) + (b - zp * sum(w)): the kernel need not subtract the zero point per element.
    """
    zero_point = zero_point_of(graph.tensors[op.inputs[0]])
    folded: NDArray[np.int64] = bias_of(graph, op, len(weights)) - zero_point * weights.sum(axis=1, dtype=np.int64)
    return folded.astype(np.int32)  # wraps like the kernel's accumulator, which ends up right


def bias_of(graph: Graph, op: Op, channels: int) -> NDArray[np.int64]:
    """The op's bias, zeros if it has none."""
    if len(op.inputs) < 3 or op.inputs[2] < 0:
        return np.zeros(channels, np.int64)
    return constant(graph.tensors[op.inputs[2]]).astype(np.int64).ravel()


def channel_multipliers(graph: Graph, op: Op, channels: int) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """Per channel in_scale * weight_scale / out_scale (PopulateConvolutionQuantizationParams: all in double)."""
    quant = graph.tensors[op.inputs[1]].quant
    assert quant is not None
    weight_scales = np.broadcast_to(quant.scale.astype(np.float64), (channels,))
    in_scale, out_scale = scale_of(graph.tensors[op.inputs[0]]), scale_of(graph.tensors[op.outputs[0]])
    return quantize_multipliers(in_scale * weight_scales / out_scale)
