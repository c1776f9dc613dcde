#include "tn_conv_dsp.h"
#include "tn_dsp.h"

void tn_conv1x1_dsp_s8(const tn_conv_params *p, const int8_t *in, int8_t *out, void *scratch) {
  const int32_t cin = p->in_c, cout = p->out_c, pixels = (int32_t)p->in_h * p->in_w;
  tn_dsp_channel *records = (tn_dsp_channel *)scratch;
  uint32_t *x = (uint32_t *)(void *)(records + cout);
  const tn_dsp_gemm gemm = {p->weight, records, cin / 2, cout / 4, tn_dsp_is_relu(p->act_min, p->out_zp)};
  tn_dsp_channels(p->bias, p->multiplier, p->shift, 0, cout, cout, p->out_zp, records, sizeof *records);
  for (int32_t i = pixels / 2; i > 0; --i, in += 2 * cin, out += 2 * cout) {
    tn_dsp_expand2(x, in, in + cin, cin / 4);
    tn_dsp_gemm2(&gemm, x, out, out + cout);
    tn_dsp_clamp(out, 2 * cout, p->act_min, p->act_max);
  }
  if (pixels % 2 != 0) {
    tn_dsp_expand1(x, in, cin / 4);
    tn_dsp_gemm1(&gemm, x, out);
    tn_dsp_clamp(out, cout, p->act_min, p->act_max);
  }
}
