#include "tn_strided_copy.h"

void tn_strided_copy_s8(const tn_strided_copy_params *p, const int8_t *in, int8_t *out) {
  const uint16_t *n = p->dims;
  const int32_t *s = p->stride;
  in += p->start;
  for (int32_t h = 0; h < n[0]; ++h) {
    for (int32_t i = 0; i < n[1]; ++i) {
      for (int32_t j = 0; j < n[2]; ++j) {
        for (int32_t k = 0; k < n[3]; ++k) {
          const int8_t *x = in + h * s[0] + i * s[1] + j * s[2] + k * s[3];
          for (int32_t l = 0; l < n[4]; ++l) *out++ = x[l * s[4]];
        }
      }
    }
  }
}
