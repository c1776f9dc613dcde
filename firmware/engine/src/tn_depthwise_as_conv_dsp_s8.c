#include "tn_conv_dsp.h"

void tn_depthwise_as_conv_dsp_s8(const tn_conv_params *p, const int8_t *in, int8_t *out, void *scratch) {
  tn_conv_dsp_s8(p, in, out, scratch);
}
