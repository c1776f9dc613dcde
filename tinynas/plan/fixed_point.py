"""TensorFlow Lite's fixed-point numbers: real factor = multiplier * 2^(shift - 31). Exact twins of tn_math.h."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import ModelError
from tinynas.graph.ir import Tensor
from tinynas.graph.ops import Activation

INT32_MAX = 2**31 - 1


def quantize_multiplier(real: float) -> tuple[int, int]:
    """(multiplier, shift) of a factor (QuantizeMultiplier, tflite/kernels/internal/quantization_util.cc)."""
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = tflite_round(fraction * 2**31)
    if multiplier == 2**31:
        multiplier, shift = multiplier // 2, shift + 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def quantize_multipliers(real: NDArray[np.float64]) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """`quantize_multiplier` of each element."""
    pairs = [quantize_multiplier(float(value)) for value in real]
    return np.array([m for m, _ in pairs], np.int32), np.array([s for _, s in pairs], np.int8)


def doubling_high_mul(a: int, b: int) -> int:
    """(2 * a * b) / 2^32, rounded to nearest, ties up."""
    return (a * b + (1 << 30)) >> 31


def rounding_shift(x: int, exponent: int) -> int:
    """x / 2^exponent, rounded to nearest, ties away from zero."""
    half = (1 << exponent) >> 1
    return (x + half) >> exponent if x >= 0 else -((-x + half) >> exponent)


def wrap32(x: int) -> int:
    """x as a 32-bit two's complement number."""
    return (x + 2**31) % 2**32 - 2**31


def requantise(x: int, multiplier: int, shift: int) -> int:
    """x * multiplier * 2^(shift - 31) (MultiplyByQuantizedMultiplier, two roundings)."""
    product = doubling_high_mul(wrap32(x << max(shift, 0)), multiplier)
    return rounding_shift(product, max(-shift, 0))


def scale_of(tensor: Tensor) -> float:
    """Per-tensor scale, a float32 value held in a float, as TFLite computes with."""
    return float(_quant(tensor)[0])


def zero_point_of(tensor: Tensor) -> int:
    """Per-tensor zero point."""
    return int(_quant(tensor)[1])


def _quant(tensor: Tensor) -> tuple[np.float32, np.int64]:
    quant = tensor.quant
    if quant is None or len(quant.scale) != 1:
        found = "none" if quant is None else f"{len(quant.scale)} scales"
        raise ModelError(
            f"tensor {tensor.name!r}: wanted one quantisation scale, found {found}; run `tinynas convert` on the model"
        )
    return quant.scale[0], quant.zero_point[0]


def tflite_round(x: float) -> int:
    """To nearest, ties away from zero (std::round)."""
    return math.floor(abs(x) + 0.5) * (1 if x >= 0 else -1)


def quantized(real: float, tensor: Tensor) -> int:
    """q of a real value, unclamped: zero_point + round(real / scale), the division in float32."""
    return zero_point_of(tensor) + tflite_round(float(np.float32(real) / np.float32(scale_of(tensor))))


_RANGES = {
    Activation.NONE: (None, None),
    Activation.RELU: (0.0, None),
    Activation.RELU6: (0.0, 6.0),
    Activation.RELU_N1_TO_1: (-1.0, 1.0),
}


def activation_range(activation: Activation, output: Tensor) -> tuple[int, int]:
    """int8 range of an op's output (CalculateActivationRangeQuantized, tflite/kernels/kernel_util.cc)."""
    low, high = _RANGES[activation]
    act_min = -128 if low is None else max(-128, quantized(low, output))
    act_max = 127 if high is None else min(127, quantized(high, output))
    return act_min, act_max
