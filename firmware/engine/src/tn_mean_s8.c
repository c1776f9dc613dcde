#include "tn_mean.h"

#include "tn_math.h"

static int8_t mean(const tn_mean_params *p, const int8_t *x) {
  int32_t sum = -(int32_t)p->count * p->in_zp;
  for (uint32_t i = 0; i < p->count; ++i) sum += x[i * p->inner];
  return (int8_t)tn_clamp(tn_requantise(sum, p->multiplier, p->shift) + p->out_zp, INT8_MIN, INT8_MAX);
}

void tn_mean_s8(const tn_mean_params *p, const int8_t *in, int8_t *out) {
  for (uint32_t i = 0; i < p->outer; ++i, in += p->count * p->inner) {
    for (uint32_t j = 0; j < p->inner; ++j) *out++ = mean(p, in + j);
  }
}
