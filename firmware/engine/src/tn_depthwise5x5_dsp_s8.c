#include "tn_depthwise_dsp.h"
#include "tn_dsp_depthwise.h"

void tn_depthwise5x5_dsp_s8(const tn_depthwise_params *p, const int8_t *in, int8_t *out, void *scratch) {
  tn_dsp_depthwise(p, in, out, scratch, tn_dsp_strip5x5);
}
