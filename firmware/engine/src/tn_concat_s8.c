#include "tn_concat.h"

void tn_concat_s8(const tn_concat_params *p, const int8_t *const *in, int8_t *out) {
  for (uint32_t i = 0; i < p->outer; ++i) {
    for (uint32_t k = 0; k < p->inputs; ++k) {
      const int8_t *x = in[k] + i * p->bytes[k];
      for (uint32_t j = 0; j < p->bytes[k]; ++j) *out++ = x[j];
    }
  }
}
