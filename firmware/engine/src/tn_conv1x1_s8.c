#include "tn_conv.h"
#include "tn_dot.h"
#include "tn_math.h"

void tn_conv1x1_s8(const tn_conv_params *p, const int8_t *in, int8_t *out) {
  /* copied, because a store to out might change *p for all the compiler knows */
  const tn_output_stage o = {p->multiplier, p->shift, p->out_zp, p->act_min, p->act_max};
  const int8_t *weight = p->weight;
  const int32_t *bias = p->bias;
  const int32_t cin = p->in_c, cout = p->out_c;
  for (int32_t left = (int32_t)p->in_h * p->in_w; left > 0; --left, in += cin, out += cout) {
    const int8_t *w = weight;
    int32_t ch = 0;
    for (; ch + 4 <= cout; ch += 4, w += 4 * cin) {
      int32_t acc[4] = {bias[ch], bias[ch + 1], bias[ch + 2], bias[ch + 3]};
      tn_dot4(in, w, cin, cin, acc);
      for (int32_t k = 0; k < 4; ++k) out[ch + k] = tn_output(&o, acc[k], ch + k);
    }
    for (; ch < cout; ++ch, w += cin) out[ch] = tn_output(&o, tn_dot(in, w, cin, bias[ch]), ch);
  }
}
