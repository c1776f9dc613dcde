#include "tn_math.h"
#include "tn_pool_dsp.h"
#include "tn_simd.h"

static int8_t mean(const tn_pool_params *p, int32_t sum, int32_t count) {
  const int32_t half = count / 2;
  return (int8_t)tn_clamp((sum + (sum > 0 ? half : -half)) / count, p->act_min, p->act_max);
}

/* Pixels whose sums fit into int16. */
enum { MOST = 256 };

void tn_avg_pool_all_dsp_s8(const tn_pool_params *p, const int8_t *in, int8_t *out) {
  const int32_t count = p->in_h * p->in_w;
  for (int32_t c = 0; c < p->channels; c += 4) {
    const int8_t *x = in + c;
    int32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
    for (int32_t left = count; left > 0; left -= MOST) {
      uint32_t even = 0, odd = 0; /* sums of channels c, c + 2 and c + 1, c + 3 */
      for (int32_t i = tn_min(left, MOST); i > 0; --i, x += p->channels) {
        const uint32_t four = tn_load4(x);
        even = tn_sxtab16(even, four);
        odd = tn_sxtab16_odd(odd, four);
      }
      sum0 += tn_low(even);
      sum1 += tn_low(odd);
      sum2 += tn_high(even);
      sum3 += tn_high(odd);
    }
    out[c] = mean(p, sum0, count);
    out[c + 1] = mean(p, sum1, count);
    out[c + 2] = mean(p, sum2, count);
    out[c + 3] = mean(p, sum3, count);
  }
}
