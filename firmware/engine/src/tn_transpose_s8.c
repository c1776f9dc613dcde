#include "tn_transpose.h"

void tn_transpose_s8(const tn_transpose_params *p, const int8_t *in, int8_t *out) {
  const uint16_t *n = p->dims;
  const uint32_t *s = p->stride;
  for (uint32_t h = 0; h < n[0]; ++h) {
    for (uint32_t i = 0; i < n[1]; ++i) {
      for (uint32_t j = 0; j < n[2]; ++j) {
        for (uint32_t k = 0; k < n[3]; ++k) {
          const int8_t *x = in + h * s[0] + i * s[1] + j * s[2] + k * s[3];
          for (uint32_t l = 0; l < n[4]; ++l) *out++ = x[l * s[4]];
        }
      }
    }
  }
}
