"""int8 functions of one value, computed as TFLite Micro's reference kernels do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from tinynas.errors import ModelError
from tinynas.graph.ir import Tensor
from tinynas.graph.ops import Attrs, LeakyRelu
from tinynas.plan import gemmlowp
from tinynas.plan.fixed_point import (
    quantize_multiplier,
    quantized,
    requantise,
    rounding_shift,
    scale_of,
    zero_point_of,
)

Function = Callable[[int], int]  # int8 to int8


def _int8(x: int) -> int:
    return min(max(x, -128), 127)


def _rescale(real: float, x: Tensor, output: Tensor) -> Function:
    """(q - zero point) * real + zero point of the output."""
    multiplier, shift = quantize_multiplier(real)
    zero_in, zero_out = zero_point_of(x), zero_point_of(output)
    return lambda q: requantise(q - zero_in, multiplier, shift) + zero_out


def quantize(x: Tensor, output: Tensor, attrs: Attrs) -> Function:
    """int8 to int8 of another scale (tflite reference/requantize.h)."""
    del attrs
    rescaled = _rescale(scale_of(x) / scale_of(output), x, output)
    return lambda q: _int8(rescaled(q))


def relu(x: Tensor, output: Tensor, attrs: Attrs) -> Function:
    """Rescaled, then clamped at the output's zero (ReluQuantized, activations_common.cc)."""
    del attrs
    rescaled, zero = _rescale(scale_of(x) / scale_of(output), x, output), zero_point_of(output)
    return lambda q: _int8(max(zero, rescaled(q)))


def relu6(x: Tensor, output: Tensor, attrs: Attrs) -> Function:
    """Clamped between the input's 0 and 6, not rescaled (Relu6Quantized)."""
    del output, attrs
    zero, six = zero_point_of(x), _int8(quantized(6.0, x))
    return lambda q: min(max(q, zero), six)


def leaky_relu(x: Tensor, output: Tensor, attrs: Attrs) -> Function:
    """Two slopes (QuantizeLeakyRelu, tflite reference/leaky_relu.h); TFLite Micro computes their factors in double."""
    assert isinstance(attrs, LeakyRelu)
    positive = _rescale(scale_of(x) / scale_of(output), x, output)
    negative = _rescale(scale_of(x) * float(np.float32(attrs.alpha)) / scale_of(output), x, output)
    zero = zero_point_of(x)
    return lambda q: _int8(positive(q) if q >= zero else negative(q))


def _fixed_point(x: Tensor, saturated: tuple[int, int], inside: Function) -> Function:
    """`inside` of the input in Q4.27; beyond about +-16 the output is one of `saturated`."""
    multiplier, shift = quantize_multiplier(scale_of(x) * 2.0**27)
    radius = math.floor(15 * 2.0**27 / 2.0**shift)
    zero = zero_point_of(x)

    def function(q: int) -> int:
        if abs(q - zero) >= radius:
            return saturated[q > zero]
        return inside(requantise(q - zero, multiplier, shift))

    return function


def logistic(x: Tensor, output: Tensor, attrs: Attrs) -> Function:
    """1 / (1 + exp(-x)), to scale 1/256 (tflite reference/integer_ops/logistic.h)."""
    del output, attrs
    return _fixed_point(x, (-128, 127), lambda raw: _int8(rounding_shift(gemmlowp.logistic(raw, 4), 23) - 128))


def tanh(x: Tensor, output: Tensor, attrs: Attrs) -> Function:
    """tanh(x), to scale 1/128 (tflite reference/integer_ops/tanh.h)."""
    del output, attrs
    return _fixed_point(x, (-128, 127), lambda raw: _int8(rounding_shift(gemmlowp.tanh(raw, 4), 24)))


def hard_swish(x: Tensor, output: Tensor, attrs: Attrs) -> Function:
    """x * relu6(x + 3) / 6 in 16-bit fixed point (tflite reference/hard_swish.h)."""
    del attrs
    fine_scale = np.float32(1 / 128) * np.float32(scale_of(x))
    out_multiplier, out_exponent = _multiplier16(fine_scale / np.float32(scale_of(output)))
    reluish_multiplier, exponent = _multiplier16(fine_scale / np.float32(3 / 32768))
    if out_exponent > 0:
        raise ModelError(f"HARD_SWISH to {output.name!r}: its scale is too small for TFLite's kernel")
    zero_in, zero_out = zero_point_of(x), zero_point_of(output)

    def function(q: int) -> int:
        fine = (q - zero_in) * 128
        gate = _saturated16(fine << max(exponent - 1, 0))
        gate = _high_mul16(gate, reluish_multiplier)
        gate = _saturated16(gate * 2) if exponent > 0 else rounding_shift(gate, -exponent)
        product = ((gate + (1 << 15)) >> 1) * _high_mul16(fine, out_multiplier)
        towards_zero = (abs(product) >> 15) * (1 if product >= 0 else -1)
        return _int8(rounding_shift(towards_zero, -out_exponent) + zero_out)

    return function


def _multiplier16(real: np.float32) -> tuple[int, int]:
    multiplier, shift = quantize_multiplier(float(real))
    return min((multiplier + (1 << 15)) >> 16, 2**15 - 1), shift


def _saturated16(x: int) -> int:
    return min(max(x, -(2**15)), 2**15 - 1)


def _high_mul16(a: int, b: int) -> int:
    return (a * b + (1 << 14)) >> 15


FUNCTIONS: Mapping[str, Callable[[Tensor, Tensor, Attrs], Function]] = {
    "HARD_SWISH": hard_swish,
    "LEAKY_RELU": leaky_relu,
    "LOGISTIC": logistic,
    "QUANTIZE": quantize,
    "RELU": relu,
    "RELU6": relu6,
    "TANH": tanh,
}
