/* One element of a quantised sum; shared by the kernels that add. */
#ifndef TN_ADD_VALUE_H
#define TN_ADD_VALUE_H

#include "tn_binary.h"
#include "tn_math.h"

static inline int8_t tn_add_value(const tn_add_params *p, int8_t a, int8_t b) {
  const int32_t x = tn_requantise((a - p->zp_a) * (1 << 20), p->multiplier_a, p->shift_a);
  const int32_t y = tn_requantise((b - p->zp_b) * (1 << 20), p->multiplier_b, p->shift_b);
  const int32_t sum = tn_requantise(x + p->sign_b * y, p->multiplier_out, p->shift_out) + p->zp_out;
  return (int8_t)tn_clamp(sum, p->act_min, p->act_max);
}

#endif
