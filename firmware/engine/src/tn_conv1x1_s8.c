#include "tn_conv.h"
#include "tn_dot.h"
#include "tn_math.h"

static int8_t requantised(const tn_conv_params *p, int32_t acc, int32_t ch) {
  return (int8_t)tn_clamp(tn_requantise(acc, p->multiplier[ch], p->shift[ch]) + p->out_zp, p->act_min, p->act_max);
}

void tn_conv1x1_s8(const tn_conv_params *p, const int8_t *in, int8_t *out) {
  const int32_t cin = p->in_c, cout = p->out_c;
  const int32_t pixels = (int32_t)p->in_h * p->in_w;
  for (int32_t i = 0; i < pixels; ++i, in += cin, out += cout) {
    const int8_t *w = p->weight;
    int32_t ch = 0;
    for (; ch + 4 <= cout; ch += 4, w += 4 * cin) {
      int32_t acc[4] = {p->bias[ch], p->bias[ch + 1], p->bias[ch + 2], p->bias[ch + 3]};
      tn_dot4(in, w, cin, cin, acc);
      for (int32_t k = 0; k < 4; ++k) out[ch + k] = requantised(p, acc[k], ch + k);
    }
    for (; ch < cout; ++ch, w += cin) out[ch] = requantised(p, tn_dot(in, w, cin, p->bias[ch]), ch);
  }
}
