"""Functions of one int8 value, as a table of 256: RELU, RELU6, QUANTIZE from int8."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tinynas.graph.ir import Graph, Op, Tensor
from tinynas.plan.fixed_point import quantize_multiplier, quantized, requantise, scale_of, zero_point_of
from tinynas.plan.kernels import Array, Kernel, Value, in_place, register

Function = Callable[[int], int]


def _clamped(low: int, high: int, x: int) -> int:
    return min(max(x, low), high)


def _rescale(x: Tensor, output: Tensor) -> Function:
    multiplier, shift = quantize_multiplier(scale_of(x) / scale_of(output))
    zero_in, zero_out = zero_point_of(x), zero_point_of(output)
    return lambda q: requantise(q - zero_in, multiplier, shift) + zero_out


def quantize(x: Tensor, output: Tensor) -> Function:
    """int8 to int8 of another scale (tflite reference/requantize.h)."""
    rescaled = _rescale(x, output)
    return lambda q: _clamped(-128, 127, rescaled(q))


def relu(x: Tensor, output: Tensor) -> Function:
    """Rescaled, then clamped at the output's zero (ReluQuantized, tflite micro activations_common.cc)."""
    rescaled, zero = _rescale(x, output), max(-128, quantized(0.0, output))
    return lambda q: _clamped(zero, 127, rescaled(q))


def relu6(x: Tensor, output: Tensor) -> Function:
    """Clamped between the input's 0 and 6, not rescaled (Relu6Quantized)."""
    del output
    zero, six = zero_point_of(x), _clamped(-128, 127, quantized(6.0, x))
    return lambda q: six if q > six else max(q, zero)


FUNCTIONS: Mapping[str, Callable[[Tensor, Tensor], Function]] = {
    "QUANTIZE": quantize,
    "RELU": relu,
    "RELU6": relu6,
}


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_lut_params."""
    x, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    function = FUNCTIONS[op.kind](x, output)
    return {"table": np.array([function(q) for q in range(-128, 128)], np.int8), "elements": x.elements}


def layout(graph: Graph, op: Op) -> tuple[Array, ...]:
    """One table."""
    del graph, op
    return (Array("table", "int8_t", 256),)


def refuses(graph: Graph, op: Op) -> str | None:
    """Nothing: any shape, int8."""
    del graph, op
    return None


register(
    Kernel(
        name="lut_s8",
        ops=tuple(FUNCTIONS),
        header="tn_lut.h",
        params="tn_lut_params",
        params_bytes=8,
        pack=pack,
        refuses=refuses,
        layout=layout,
        lead_bytes=in_place,
    )
)
