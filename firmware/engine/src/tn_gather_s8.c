#include "tn_gather.h"

void tn_gather_s8(const tn_gather_params *p, const int8_t *in, int8_t *out) {
  const uint32_t line = p->in_columns * p->inner;
  for (uint32_t o = 0; o < p->outer; ++o, in += p->in_rows * line) {
    for (uint32_t i = 0; i < p->out_rows; ++i) {
      for (uint32_t j = 0; j < p->out_columns; ++j) {
        const int8_t *x = in + p->row[i] * line + p->column[j] * p->inner;
        for (uint32_t k = 0; k < p->inner; ++k) *out++ = x[k];
      }
    }
  }
}
