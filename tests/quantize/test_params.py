from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.errors import ModelError
from tinynas.quantize.params import activation_quant, bias_quant, quantised, weight_quant

reals = st.floats(-1e4, 1e4, width=32)


@given(reals, reals)
def test_zero_is_exact_and_the_range_is_covered(a: float, b: float) -> None:
    quant = activation_quant(min(a, b), max(a, b))
    scale, zero = float(quant.scale[0]), int(quant.zero_point[0])
    assert -128 <= zero <= 127
    low, high = scale * (-128 - zero), scale * (127 - zero)
    assert low - scale <= min(a, b, 0) and max(a, b, 0) <= high + scale


@pytest.mark.parametrize(
    ("low", "high", "zero"), [(0, 6, -128), (0.5, 6, -128), (-1, 0, 127), (-1, 1, 0), (0, 0, -128)]
)
def test_zero_points(low: float, high: float, zero: int) -> None:
    """ReLU outputs use the whole int8 range; a range that misses 0 is widened to it."""
    assert activation_quant(low, high).zero_point[0] in (zero, zero - 1 if low < 0 < high else zero)


def test_pixels() -> None:
    quant = activation_quant(0.0, 1.0)
    assert quant.scale[0] == np.float32(1 / 255) and quant.zero_point[0] == -128


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_ranges_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(ModelError, match="finite"):
        activation_quant(0.0, bad)
    with pytest.raises(ModelError, match="finite"):
        weight_quant(np.array([[bad]], np.float32), 0, None, 1.0)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 3, None]))
def test_weights_use_their_full_symmetric_range(seed: int, axis: int | None) -> None:
    """Every slice reaches 127 and none -128; the error is at most half a step."""
    weights = np.random.default_rng(seed).normal(size=(5, 3, 3, 4)).astype(np.float32)
    quant = weight_quant(weights, axis, None, 0.1)
    data = quantised(weights, quant, -127, 127)
    others = None if axis is None else tuple(k for k in range(4) if k != axis)
    assert (np.abs(data).max(axis=others) == 127).all()
    shape = [1] * 4
    if axis is not None:
        shape[axis] = -1
    steps = weights / quant.scale.reshape(shape)
    assert np.abs(steps - data).max() <= 0.5 + 1e-3


def test_a_dead_channel_takes_a_neutral_scale() -> None:
    weights = np.array([[0, 0], [1, 2]], np.float32)
    np.testing.assert_allclose(weight_quant(weights, 0, None, 1.0).scale, 2 / 127)
    np.testing.assert_allclose(weight_quant(np.zeros((2, 2), np.float32), 0, None, 1.0).scale, 1.0)


@given(st.floats(1e-12, 1e12), st.floats(1e-6, 10))
def test_biases_stay_inside_int32(bias: float, input_scale: float) -> None:
    """A scale grows rather than the bias being clipped (a channel of tiny weights with a large bias)."""
    weights, biases = np.full((1, 4), 1e-6, np.float32), np.array([bias], np.float32)
    quant = bias_quant(np.float32(input_scale), weight_quant(weights, 0, biases, input_scale))
    steps = float(biases[0]) / float(quant.scale[0])
    assert abs(steps) <= 2**30 * (1 + 1e-5)
