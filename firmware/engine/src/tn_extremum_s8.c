#include "tn_extremum.h"

#include "tn_math.h"

void tn_extremum_s8(const tn_extremum_params *p, const int8_t *a, const int8_t *b, int8_t *out) {
  const uint16_t *n = p->shape.dims;
  const uint32_t *sa = p->shape.stride_a, *sb = p->shape.stride_b;
  const int32_t sign = p->sign;
  for (uint32_t i = 0; i < n[0]; ++i) {
    for (uint32_t j = 0; j < n[1]; ++j) {
      for (uint32_t k = 0; k < n[2]; ++k) {
        const int8_t *x = a + i * sa[0] + j * sa[1] + k * sa[2];
        const int8_t *y = b + i * sb[0] + j * sb[1] + k * sb[2];
        for (uint32_t l = 0; l < n[3]; ++l) {
          *out++ = (int8_t)(sign * tn_max(sign * x[l * sa[3]], sign * y[l * sb[3]]));
        }
      }
    }
  }
}
