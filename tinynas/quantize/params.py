"""Scales and zero points of TFLite's int8 scheme (tensorflow.org/lite/performance/quantization_spec)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import ModelError
from tinynas.graph.ir import Quant

_SMALLEST_WIDTH = 1e-4  # a dead tensor still gets a scale that SOFTMAX and every multiplier can take
_BIAS_LIMIT = 2.0**30  # half of int32: room for the accumulated products


def activation_quant(low: float, high: float) -> Quant:
    """Asymmetric int8 over [low, high] widened to hold 0, which is then exactly representable."""
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ModelError(f"a value of the network ranges over [{low}, {high}] in calibration; wanted finite numbers")
    low, high = min(low, 0.0), max(high, 0.0)
    width = max(high - low, _SMALLEST_WIDTH)
    scale = np.float32(width / 255)
    zero_point = int(np.clip(np.rint(-128 - low / float(scale)), -128, 127))
    return Quant.per_tensor(float(scale), zero_point)


def weight_quant(
    weights: NDArray[np.float32], axis: int | None, bias: NDArray[np.float32] | None, input_scale: float
) -> Quant:
    """Symmetric int8 in [-127, 127], per slice of `axis` or per tensor.

    A scale grows where the bias would leave int32 at scale input_scale * weight scale. A slice of zeros takes
    the largest scale among the others.
    """
    slices = weights.reshape(1, -1) if axis is None else np.moveaxis(weights, axis, 0).reshape(weights.shape[axis], -1)
    if not (np.isfinite(weights).all() and (bias is None or np.isfinite(bias).all())):
        raise ModelError("a weight or bias is not a finite number; the network diverged in training")
    scales = np.abs(slices).max(axis=1).astype(np.float64) / 127
    if bias is not None:
        needed = np.abs(bias.astype(np.float64)) / (input_scale * _BIAS_LIMIT)
        scales = np.maximum(scales, needed.max(initial=0.0) if axis is None else needed)
    scales = np.where(scales > 0, scales, scales.max(initial=0.0) or 1.0)
    return Quant(scales.astype(np.float32), np.zeros(len(scales), np.int64), axis if len(scales) > 1 else None)


def bias_quant(input_scale: np.float32, weights: Quant) -> Quant:
    """int32 at scale input_scale * weight scale, zero point 0."""
    scale = (np.float64(input_scale) * weights.scale.astype(np.float64)).astype(np.float32)
    return Quant(scale, np.zeros(len(scale), np.int64), 0 if len(scale) > 1 else None)


def quantised(values: NDArray[np.float32], quant: Quant, low: int, high: int) -> NDArray[np.int64]:
    """Nearest integers in [low, high] of float values."""
    shape = [1] * values.ndim
    if quant.axis is not None:
        shape[quant.axis] = len(quant.scale)
    scale = quant.scale.astype(np.float64).reshape(shape) if values.ndim else quant.scale.astype(np.float64)[0]
    zero = quant.zero_point.reshape(shape) if values.ndim else quant.zero_point[0]
    return np.clip(np.rint(values / scale) + zero, low, high).astype(np.int64)
