#include "tn_add_value.h"

void tn_add_broadcast_s8(const tn_add_broadcast_params *p, const int8_t *a, const int8_t *b, int8_t *out) {
  const uint16_t *n = p->shape.dims;
  const uint32_t *sa = p->shape.stride_a, *sb = p->shape.stride_b;
  for (uint32_t i = 0; i < n[0]; ++i) {
    for (uint32_t j = 0; j < n[1]; ++j) {
      for (uint32_t k = 0; k < n[2]; ++k) {
        const int8_t *x = a + i * sa[0] + j * sa[1] + k * sa[2];
        const int8_t *y = b + i * sb[0] + j * sb[1] + k * sb[2];
        for (uint32_t l = 0; l < n[3]; ++l) *out++ = tn_add_value(&p->add, x[l * sa[3]], y[l * sb[3]]);
      }
    }
  }
}
