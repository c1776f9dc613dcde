#include "tn_binary_dsp.h"
#include "tn_dsp.h"

/* A macro, so that it is part of the loop at -Os too; see tn_dsp.h. */
#define SCALED(twice) tn_ssat8((tn_smmlar(twice, multiplier, rounding) + ((twice) >> 31)) >> shift)

/* Twice the factors of four channels: pairs of channels 0, 2 and 1, 3. */
static void expand(uint32_t *pairs, const int8_t *b, int32_t zero, uint32_t channels) {
  for (uint32_t c = 0; c < channels; c += 4, b += 4) {
    *pairs++ = tn_pair(2 * (b[0] - zero), 2 * (b[2] - zero));
    *pairs++ = tn_pair(2 * (b[1] - zero), 2 * (b[3] - zero));
  }
}

void tn_mul_channels_dsp_s8(const tn_mul_channels_params *p, const int8_t *a, const int8_t *b, int8_t *out,
                            void *scratch) {
  const int32_t multiplier = p->multiplier, shift = -p->shift;
  const int32_t rounding = (int32_t)((uint32_t)(2 * p->zp_out + 1) << (shift - 1));
  const uint32_t minus_zero = tn_pair(-p->zp_a, -p->zp_a), channels = p->channels;
  int8_t *const first = out;
  expand(scratch, b, p->zp_b, channels);
  for (uint32_t i = p->pixels; i > 0; --i) {
    const uint32_t *pair = scratch;
    for (uint32_t c = channels; c > 0; c -= 4, a += 4, out += 4, pair += 2) {
      const uint32_t four = tn_load4(a);
      const uint32_t even = tn_sxtab16(minus_zero, four), odd = tn_sxtab16_odd(minus_zero, four);
      const int32_t x0 = tn_low(even) * tn_low(pair[0]), x2 = tn_high(even) * tn_high(pair[0]);
      const int32_t x1 = tn_low(odd) * tn_low(pair[1]), x3 = tn_high(odd) * tn_high(pair[1]);
      out[0] = (int8_t)SCALED(x0);
      out[1] = (int8_t)SCALED(x1);
      out[2] = (int8_t)SCALED(x2);
      out[3] = (int8_t)SCALED(x3);
    }
  }
  tn_dsp_clamp(first, (int32_t)(p->pixels * channels), p->act_min, p->act_max);
}
