"""What the kernels for the DSP extension share: order of the weights, limits of their arithmetic (see tn_dsp.h)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tinynas.plan.fixed_point import requantise
from tinynas.plan.kernels import Array, Value

MIN_SHIFT = -22  # (2 * zero + 1) << 21 and a sum below 2^30 add up to less than 2^31
COMMON_SOURCES = ("tn_dsp_channels.c", "tn_dsp_clamp.c")
GEMM_SOURCES = (*COMMON_SOURCES, "tn_dsp_gemm.c", "tn_dsp_copy.c")

Weights = NDArray[np.int8]  # (channels, taps)
Values = Mapping[str, Value]  # fields of a parameter struct


def round_up4(n: int) -> int:
    """The next multiple of 4."""
    return -(-n // 4) * 4


def gemm_weights(weights: Weights) -> NDArray[np.int8]:
    """Weights in the order of tn_dsp_gemm, channels and taps rounded up to 4 with zeros.

    Two channels a, b and two taps make a word: the int16 numbers 256 * a + b of taps k and k + 2.
    """
    channels, taps = (round_up4(n) for n in weights.shape)
    # axes: 4 channels, which two of them, 4 taps, which two of them (first or second), even or odd tap
    pairs = _paired(np.pad(weights, [(0, channels - len(weights)), (0, taps - weights.shape[1])]))
    ordered = pairs.reshape(channels // 4, 2, taps // 4, 2, 2).transpose(0, 2, 4, 1, 3)
    return np.frombuffer(ordered.astype("<i2").tobytes(), np.int8)


def _paired(weights: Weights) -> NDArray[np.int32]:
    """256 * a + b for every two channels a, b; their number is even."""
    wide = weights.astype(np.int32)
    return 256 * wide[0::2] + wide[1::2]


def gemm_layout(arrays: tuple[Array, ...], channels: int, taps: int) -> tuple[Array, ...]:
    """A portable kernel's arrays, with the weights as `gemm_weights` gives them."""
    elements = round_up4(channels) * round_up4(taps)
    return tuple(replace(a, elements=elements) if a.field == "weight" else a for a in arrays)


def settled(values: Values, weights: Weights) -> tuple[dict[str, Value], Weights]:
    """The same function, with plain numbers for channels whose output is the same for any input.

    Channels that training switched off have scales near 0, so shifts and biases that the kernels do not take. They get
    no weights and the factor 2^-2, exactly 4 * (output - zero point) as bias.
    """
    bias, multiplier, shift = (np.array(values[name]) for name in ("bias", "multiplier", "shift"))
    if len(shift) != len(bias):
        return dict(values), weights
    outputs = [_constant_output(values, weights, channel) for channel in range(len(bias))]
    constant = np.array([output is not None for output in outputs])
    bias[constant] = [4 * (output - number(values, "out_zp")) for output in outputs if output is not None]
    multiplier[constant], shift[constant] = 2**30, -1
    kept = np.where(constant[:, None], np.int8(0), weights).astype(np.int8)
    return {**values, "bias": bias, "multiplier": multiplier, "shift": shift}, kept


def number(values: Values, name: str) -> int:
    """A field that is an integer."""
    value = values[name]
    assert isinstance(value, int), name
    return value


def _constant_output(values: Values, weights: Weights, channel: int) -> int | None:
    """The output that a channel gives for any input, None if there are several. Requantisation is monotone."""
    bias, multiplier, shift = (int(np.asarray(values[name])[channel]) for name in ("bias", "multiplier", "shift"))
    reach = 128 * int(np.abs(weights[channel].astype(np.int64)).sum())
    if shift > 0 or abs(bias) + reach >= 2**31:
        return None
    low, high = (
        min(
            max(requantise(x, multiplier, shift) + number(values, "out_zp"), number(values, "act_min")),
            number(values, "act_max"),
        )
        for x in (bias - reach, bias + reach)
    )
    return low if low == high else None


def beyond_limits(values: Values, weights: Weights) -> str | None:
    """Why the arithmetic of tn_dsp.h would not be exact with these (settled) constants, None if it is."""
    largest = int((np.abs(np.asarray(values["bias"], np.int64)) + 128 * _absolute_sums(weights)).max())
    if largest >= 2**30:
        return f"sums up to {largest}; wanted less than {2**30}"
    shift = np.asarray(values["shift"])
    most = 0 if number(values, "act_min") >= number(values, "out_zp") else -1
    if shift.min() < MIN_SHIFT or shift.max() > most:
        return f"requantisation shifts {shift.min()} to {shift.max()}; wanted {MIN_SHIFT} to {most}"
    return None


def _absolute_sums(weights: Weights) -> NDArray[np.int64]:
    sums: NDArray[np.int64] = np.abs(weights.astype(np.int64)).sum(axis=1)
    return sums


def beyond_gemm(values: Values, weights: Weights) -> str | None:
    """`beyond_limits`, and the limits of two channels' weights in one number."""
    if reason := beyond_limits(values, weights):
        return reason
    if 128 * int(_absolute_sums(weights).max()) >= 2**23:
        return f"sums of more than 24 bits over {weights.shape[1]} taps"
    lowest = int(_paired(np.pad(weights, [(0, len(weights) % 2), (0, 0)])).min())
    return f"weights of -128 and below 0 side by side ({lowest})" if lowest < -(2**15) else None
