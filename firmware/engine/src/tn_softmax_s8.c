/* Integer arithmetic of TFLite Micro's reference softmax, which takes exp and reciprocal from gemmlowp's fixedpoint.h.
 * Qm.n: m integer bits, n fraction bits, and a sign. */
#include "tn_softmax.h"

#include "tn_math.h"

/* All selections go by mask, so that the count of instructions does not depend on the data. */
static int32_t when(int condition, int32_t x) { return x & -(int32_t)condition; }

static int32_t select(int condition, int32_t yes, int32_t no) { return when(condition, yes) | when(!condition, no); }

static int32_t saturating_shift_left(int32_t x, int n) {
  const int32_t limit = (1 << (31 - n)) - 1;
  return select(x > limit, INT32_MAX, select(x < -limit, INT32_MIN, tn_shift_left(x, n)));
}

/* exp(a) in Q0.31 for a in [-1/4, 0) in Q0.31: Taylor's series about -1/8. */
static int32_t exp_small(int32_t a) {
  const int32_t exp_minus_eighth = 1895147668, third = 715827883;
  const int32_t x = a + (1 << 28);
  const int32_t x2 = tn_doubling_high_mul(x, x);
  const int32_t x3 = tn_doubling_high_mul(x2, x);
  const int32_t x4_over_4 = tn_rounding_shift(tn_doubling_high_mul(x2, x2), 2);
  const int32_t tail = tn_rounding_shift(tn_doubling_high_mul(x4_over_4 + x3, third) + x2, 1);
  return exp_minus_eighth + tn_doubling_high_mul(exp_minus_eighth, x + tail);
}

/* exp(a) in Q0.31 for a <= 0 in Q5.26: exp of a modulo 1/4, times exp(-2^i) for every bit of the rest. */
static int32_t exp_negative(int32_t a) {
  static const int32_t factor[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  const int32_t quarter = 1 << 24;
  const int32_t modulo = (a & (quarter - 1)) - quarter;
  const int32_t rest = (int32_t)((uint32_t)modulo - (uint32_t)a); /* differences below diff_min wrap, and are masked */
  int32_t result = exp_small(saturating_shift_left(modulo, 5));
  for (int i = 0; i < 7; ++i) {
    result = select((rest >> (24 + i)) & 1, tn_doubling_high_mul(result, factor[i]), result);
  }
  return select(a == 0, INT32_MAX, result);
}

/* 1 / (1 + x) in Q0.31 for x in [0, 1) in Q0.31: three steps of Newton's division; the estimate is Q2.29. */
static int32_t reciprocal(int32_t x) {
  const int32_t c48_over_17 = 1515870810, c32_over_17 = -1010580540;
  const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
  int32_t r = c48_over_17 + tn_doubling_high_mul(half, c32_over_17);
  for (int i = 0; i < 3; ++i) {
    const int32_t error = (1 << 29) - tn_doubling_high_mul(half, r);
    r += saturating_shift_left(tn_doubling_high_mul(r, error), 2);
  }
  return saturating_shift_left(r, 1);
}

/* Of x > 0, by halves. */
static int leading_zeros(uint32_t x) {
  int n = 0;
  for (int half = 16; half > 0; half /= 2) {
    const int clear = (x >> (32 - half)) == 0;
    n += half & -clear;
    x <<= half & -clear;
  }
  return n;
}

static int32_t exp_of(const tn_softmax_params *p, int32_t diff) {
  return exp_negative(tn_doubling_high_mul(tn_shift_left(diff, p->shift), p->multiplier));
}

static void softmax_row(const tn_softmax_params *p, const int8_t *in, int8_t *out) {
  int32_t largest = INT8_MIN, sum = 0; /* sum: Q12.19 */
  for (int32_t i = 0; i < p->depth; ++i) largest = tn_max(largest, in[i]);
  for (int32_t i = 0; i < p->depth; ++i) {
    const int32_t diff = in[i] - largest;
    sum += when(diff >= p->diff_min, tn_rounding_shift(exp_of(p, diff), 12));
  }
  const int headroom = leading_zeros((uint32_t)sum);
  const int32_t scale = reciprocal((int32_t)(((uint32_t)sum << headroom) - 0x80000000u));
  const int exponent = 12 - headroom + 31 - 8;
  for (int32_t i = 0; i < p->depth; ++i) {
    const int32_t diff = in[i] - largest;
    const int32_t share = tn_rounding_shift(tn_doubling_high_mul(scale, exp_of(p, diff)), exponent);
    const int32_t v = when(diff >= p->diff_min, share);
    out[i] = (int8_t)tn_clamp(v + INT8_MIN, INT8_MIN, INT8_MAX);
  }
}

void tn_softmax_s8(const tn_softmax_params *p, const int8_t *in, int8_t *out) {
  for (int32_t row = 0; row < p->rows; ++row, in += p->depth, out += p->depth) softmax_row(p, in, out);
}
