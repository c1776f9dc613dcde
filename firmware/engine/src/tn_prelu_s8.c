#include "tn_prelu.h"

#include "tn_math.h"

/* Both branches are computed: which one is taken shall not show in the time. */
static int8_t value(const tn_prelu_params *p, int8_t q, int8_t alpha) {
  const int32_t x = q - p->zp_in;
  const int32_t above = tn_requantise(x, p->multiplier, p->shift);
  const int32_t below = tn_requantise(x * (alpha - p->zp_alpha), p->multiplier_negative, p->shift_negative);
  const int32_t negative = x >> 31;
  return (int8_t)tn_clamp(((above & ~negative) | (below & negative)) + p->zp_out, -128, 127);
}

void tn_prelu_s8(const tn_prelu_params *p, const int8_t *in, const int8_t *alpha, int8_t *out) {
  const uint16_t *n = p->shape.dims;
  const uint32_t *sa = p->shape.stride_a, *sb = p->shape.stride_b;
  for (uint32_t i = 0; i < n[0]; ++i) {
    for (uint32_t j = 0; j < n[1]; ++j) {
      for (uint32_t k = 0; k < n[2]; ++k) {
        const int8_t *x = in + i * sa[0] + j * sa[1] + k * sa[2];
        const int8_t *y = alpha + i * sb[0] + j * sb[1] + k * sb[2];
        for (uint32_t l = 0; l < n[3]; ++l) *out++ = value(p, x[l * sa[3]], y[l * sb[3]]);
      }
    }
  }
}
