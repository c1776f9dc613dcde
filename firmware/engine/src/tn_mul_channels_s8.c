#include "tn_binary.h"
#include "tn_math.h"

void tn_mul_channels_s8(const tn_mul_channels_params *p, const int8_t *a, const int8_t *b, int8_t *out) {
  const tn_mul_channels_params q = *p; /* out might alias *p, as far as the compiler knows */
  for (uint32_t i = q.pixels; i > 0; --i) {
    for (uint32_t c = 0; c < q.channels; ++c) {
      const int32_t v = (*a++ - q.zp_a) * (b[c] - q.zp_b);
      *out++ = (int8_t)tn_clamp(tn_requantise(v, q.multiplier, q.shift) + q.zp_out, q.act_min, q.act_max);
    }
  }
}
