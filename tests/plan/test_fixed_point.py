"""TFLite's fixed-point numbers against exact fractions, and against the C that runs on boards."""

from __future__ import annotations

import ctypes
import math
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.engine.compile_host import host_compiler
from tinynas.errors import ModelError
from tinynas.graph.ir import DType, Quant, Tensor
from tinynas.graph.ops import Activation
from tinynas.plan.fixed_point import (
    activation_range,
    doubling_high_mul,
    quantize_multiplier,
    requantise,
    rounding_shift,
    scale_of,
)
from tinynas.resources import resource

int32 = st.integers(-(2**31), 2**31 - 1)
multipliers = st.integers(2**30, 2**31 - 1)
shifts = st.integers(-31, 8)
CRequantise = Callable[[int, int, int], int]


@given(st.floats(2.0**-30, 2.0**20))
def test_multiplier_and_shift_are_the_factor(real: float) -> None:
    multiplier, shift = quantize_multiplier(real)
    assert 2**30 <= multiplier < 2**31
    assert abs(Fraction(multiplier) * Fraction(2) ** (shift - 31) / Fraction(real) - 1) <= Fraction(1, 2**31)


def test_factors_at_the_edges() -> None:
    assert quantize_multiplier(0.0) == (0, 0)
    assert quantize_multiplier(2.0**-33) == (0, 0)
    assert quantize_multiplier(math.nextafter(1.0, 0.0)) == (2**30, 1)


@given(int32, st.integers(0, 31))
def test_rounding_shift_rounds_half_away_from_zero(x: int, exponent: int) -> None:
    exact = Fraction(x, 2**exponent)
    nearest = math.floor(abs(exact) + Fraction(1, 2))
    assert rounding_shift(x, exponent) == (nearest if x >= 0 else -nearest)


@given(int32, multipliers)
def test_doubling_high_mul_is_within_half(a: int, b: int) -> None:
    assert abs(doubling_high_mul(a, b) - Fraction(a * b, 2**31)) <= Fraction(1, 2)


@pytest.fixture(scope="module")
def c_requantise(tmp_path_factory: pytest.TempPathFactory) -> CRequantise:
    folder: Path = tmp_path_factory.mktemp("c")
    source = folder / "math.c"
    source.write_text(
        '#include "tn_math.h"\n'
        "int32_t requantise(int32_t x, int32_t m, int s);\n"
        "int32_t requantise(int32_t x, int32_t m, int s) { return tn_requantise(x, m, s); }\n"
    )
    include = resource("firmware") / "engine" / "include"
    command = [host_compiler(), "-O2", "-shared", "-fPIC", f"-I{include}", str(source), "-o", str(folder / "math.so")]
    subprocess.run(command, check=True)
    function = ctypes.CDLL(str(folder / "math.so")).requantise
    function.restype = ctypes.c_int32
    return lambda x, m, s: int(function(x, m, s))


def test_python_and_c_agree(c_requantise: CRequantise) -> None:
    @given(int32, multipliers, shifts)
    def check(x: int, multiplier: int, shift: int) -> None:
        assert c_requantise(x, multiplier, shift) == requantise(x, multiplier, shift)

    check()


def output(scale: float, zero_point: int) -> Tensor:
    return Tensor("y", (1,), DType.INT8, Quant.per_tensor(scale, zero_point))


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (Activation.NONE, (-128, 127)),
        (Activation.RELU, (-100, 127)),
        (Activation.RELU6, (-100, 20)),
        (Activation.RELU_N1_TO_1, (-120, -80)),
    ],
)
def test_activation_ranges(activation: Activation, expected: tuple[int, int]) -> None:
    assert activation_range(activation, output(0.05, -100)) == expected


def test_a_missing_scale_is_named() -> None:
    with pytest.raises(ModelError, match="'y': wanted one quantisation scale, found none"):
        scale_of(Tensor("y", (1,), DType.INT8))
    with pytest.raises(ModelError, match="found 2 scales"):
        scale_of(Tensor("y", (2,), DType.INT8, Quant(np.ones(2, np.float32), np.zeros(2, np.int64), 0)))
