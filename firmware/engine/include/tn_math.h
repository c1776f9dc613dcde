/* Fixed-point arithmetic of TensorFlow Lite, bit for bit.
 *
 * A real factor is multiplier * 2^(shift - 31), with multiplier in [2^30, 2^31) or 0 and shift in [-31, 31).
 * Two roundings, as in gemmlowp and TFLite Micro's default build: the doubling high multiply, then the right shift. */
#ifndef TN_MATH_H
#define TN_MATH_H

#include <stdint.h>

/* (a * b * 2) / 2^32, rounded to nearest, ties up; a and b not both INT32_MIN (TFLite would saturate that one). */
static inline int32_t tn_doubling_high_mul(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* x / 2^exponent, rounded to nearest, ties away from zero; exponent in [0, 31]. */
static inline int32_t tn_rounding_shift(int32_t x, int exponent) {
  const int32_t mask = (int32_t)((1u << exponent) - 1u);
  const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + ((x & mask) > threshold ? 1 : 0);
}

/* x * 2^shift, shift >= 0; overflow wraps, as it does in TFLite. */
static inline int32_t tn_shift_left(int32_t x, int shift) { return (int32_t)((uint32_t)x << shift); }

/* x * multiplier * 2^(shift - 31), multiplier >= 0. */
static inline int32_t tn_requantise(int32_t x, int32_t multiplier, int shift) {
  if (shift >= 0) return tn_doubling_high_mul(tn_shift_left(x, shift), multiplier);
  x = tn_doubling_high_mul(x, multiplier); /* not INT32_MIN */
  x += x >> 31;                            /* makes ties, which are rounded up next, go away from zero */
  return ((x >> (-shift - 1)) + 1) >> 1;
}

/* What follows a sum of products: scale per channel, zero point, range of the activation. */
typedef struct {
  const int32_t *multiplier;
  const int8_t *shift;
  int32_t zero_point, low, high;
} tn_output_stage;

static inline int8_t tn_output(const tn_output_stage *o, int32_t acc, int32_t ch) {
  const int32_t v = tn_requantise(acc, o->multiplier[ch], o->shift[ch]) + o->zero_point;
  return (int8_t)(v < o->low ? o->low : (v > o->high ? o->high : v));
}

static inline int32_t tn_clamp(int32_t x, int32_t low, int32_t high) { return x < low ? low : (x > high ? high : x); }

static inline int32_t tn_max(int32_t a, int32_t b) { return a > b ? a : b; }

static inline int32_t tn_min(int32_t a, int32_t b) { return a < b ? a : b; }

#endif
