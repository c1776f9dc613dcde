#include "tn_dsp.h"

void tn_dsp_channels(const int32_t *bias, const int32_t *multiplier, const int8_t *shift, int32_t shared,
                     int32_t channels, int32_t padded, int32_t zero, void *out, int32_t step) {
  int8_t *at = out;
  for (int32_t i = 0; i < padded; ++i, at += step) {
    tn_dsp_channel *c = (tn_dsp_channel *)(void *)at;
    const int32_t from = shared ? 0 : i;
    const int32_t e = i < channels ? -shift[from] : 0;
    c->bias2 = i < channels ? (int32_t)((uint32_t)bias[i] << 1) : 0;
    c->multiplier = i < channels ? multiplier[from] : 0;
    c->rounding = e > 0 ? (int32_t)((uint32_t)(2 * zero + 1) << (e - 1)) : zero;
    c->shift = e;
  }
}
