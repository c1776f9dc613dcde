#include "tn_dsp.h"

void tn_dsp_channels(const int32_t *bias, const int32_t *multiplier, const int8_t *shift, int32_t shared,
                     int32_t channels, int32_t padded, int32_t zero, void *out, int32_t step) {
  const int32_t next = shared ? 0 : 1;
  const int32_t *end = bias + channels;
  int8_t *at = (int8_t *)out;
  for (; bias != end; at += step, multiplier += next, shift += next) {
    tn_dsp_channel *c = (tn_dsp_channel *)(void *)at;
    const int32_t e = -*shift;
    c->bias2 = *bias++ * 2;
    c->multiplier = *multiplier;
    c->rounding = zero * (1 << e) + ((1 << e) >> 1);
    c->shift = e;
  }
  for (; channels < padded; ++channels, at += step) *(tn_dsp_channel *)(void *)at = *(tn_dsp_channel *)(void *)(at - step);
}
