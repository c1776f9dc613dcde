#include "tn_dsp.h"

void tn_dsp_channels(const int32_t *bias, const int32_t *multiplier, const int8_t *shift, int32_t shared,
                     int32_t channels, int32_t padded, int32_t zero, void *out, int32_t step) {
  const int32_t mask = shared ? 0 : -1;
  int8_t *at = (int8_t *)out;
  int32_t i = 0;
  do {
    tn_dsp_channel *c = (tn_dsp_channel *)(void *)at;
    const int32_t e = -shift[i & mask], one = 1 << e;
    c->bias2 = bias[i] * 2;
    c->multiplier = multiplier[i & mask];
    c->rounding = zero * one + (one >> 1);
    c->shift = e;
    at += step;
  } while (++i != channels);
  for (; i < padded; ++i, at += step) *(tn_dsp_channel *)(void *)at = *(tn_dsp_channel *)(void *)(at - step);
}
