#include "tn_split.h"

void tn_split_s8(const tn_split_params *p, const int8_t *in, int8_t *const *out) {
  for (uint32_t i = 0; i < p->outer; ++i) {
    for (uint32_t k = 0; k < p->parts; ++k) {
      int8_t *y = out[k] + i * p->bytes;
      for (uint32_t j = 0; j < p->bytes; ++j) y[j] = *in++;
    }
  }
}
