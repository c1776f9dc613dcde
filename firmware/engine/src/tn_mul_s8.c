#include "tn_binary.h"
#include "tn_math.h"

static int8_t product(const tn_mul_params *p, int8_t a, int8_t b) {
  const int32_t v = (a - p->zp_a) * (b - p->zp_b);
  return (int8_t)tn_clamp(tn_requantise(v, p->multiplier, p->shift) + p->zp_out, p->act_min, p->act_max);
}

void tn_mul_s8(const tn_mul_params *p, const int8_t *a, const int8_t *b, int8_t *out) {
  const uint16_t *n = p->shape.dims;
  const uint32_t *sa = p->shape.stride_a, *sb = p->shape.stride_b;
  for (uint32_t i = 0; i < n[0]; ++i) {
    for (uint32_t j = 0; j < n[1]; ++j) {
      for (uint32_t k = 0; k < n[2]; ++k) {
        const int8_t *x = a + i * sa[0] + j * sa[1] + k * sa[2];
        const int8_t *y = b + i * sb[0] + j * sb[1] + k * sb[2];
        for (uint32_t l = 0; l < n[3]; ++l) *out++ = product(p, x[l * sa[3]], y[l * sb[3]]);
      }
    }
  }
}
