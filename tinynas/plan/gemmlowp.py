"""gemmlowp's fixed-point functions (fixedpoint/fixedpoint.h), as TFLite Micro's int8 LOGISTIC and TANH use them.

Qm.n has m integer bits, n fraction bits and a sign; raw values are Python ints in the int32 range.
"""

from __future__ import annotations

from tinynas.plan.fixed_point import INT32_MAX, doubling_high_mul, rounding_shift

# exp(-2^i) in Q0.31 for i = -2 .. 4
_EXP_FACTORS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)


def saturating_shift_left(x: int, n: int) -> int:
    """x * 2^n, held within int32 as SaturatingRoundingMultiplyByPOT does."""
    limit = (1 << (31 - n)) - 1
    if x > limit:
        return INT32_MAX
    return -INT32_MAX - 1 if x < -limit else x << n


def exp_on_negative_values(a: int, integer_bits: int) -> int:
    """exp(a) in Q0.31 for a <= 0 with `integer_bits` (at most 5)."""
    if a == 0:
        return INT32_MAX
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    modulo = (a & (quarter - 1)) - quarter
    result = _exp_small(saturating_shift_left(modulo, integer_bits))
    for exponent, factor in zip(range(-2, integer_bits), _EXP_FACTORS, strict=False):
        if (modulo - a) >> (fraction_bits + exponent) & 1:
            result = doubling_high_mul(result, factor)
    return result


def _exp_small(a: int) -> int:
    """exp(a) for a in [-1/4, 0), all Q0.31: Taylor's series about -1/8."""
    exp_minus_eighth, third = 1895147668, 715827883
    x = a + (1 << 28)
    x2 = doubling_high_mul(x, x)
    x3 = doubling_high_mul(x2, x)
    x4_over_4 = rounding_shift(doubling_high_mul(x2, x2), 2)
    tail = rounding_shift(doubling_high_mul(x4_over_4 + x3, third) + x2, 1)
    return exp_minus_eighth + doubling_high_mul(exp_minus_eighth, x + tail)


def _newton(a: int) -> int:
    """2 / (1 + a) in Q2.29 for a in (0, 1) in Q0.31."""
    half = (a + INT32_MAX + 1) // 2
    x = 1515870810 + doubling_high_mul(half, -1010580540)  # 48/17 - 32/17 * half
    for _ in range(3):
        error = (1 << 29) - doubling_high_mul(half, x)
        x += saturating_shift_left(doubling_high_mul(x, error), 2)
    return x


def logistic(a: int, integer_bits: int) -> int:
    """1 / (1 + exp(-a)) in Q0.31."""
    if a == 0:
        return 1 << 30
    positive = saturating_shift_left(_newton(exp_on_negative_values(-abs(a), integer_bits)), 1)
    return positive if a > 0 else INT32_MAX - positive


def tanh(a: int, integer_bits: int) -> int:
    """tanh(a) in Q0.31."""
    if a == 0:
        return 0
    x = _newton(exp_on_negative_values(-abs(a), integer_bits + 1))
    magnitude = saturating_shift_left(x - (1 << 29), 2)
    return magnitude if a > 0 else -magnitude
