#include "tn_conv_mve.h"

#if TN_HAVE_MVE

void tn_depthwise_as_conv_mve_s8(const tn_conv_mve_params *p, const int8_t *in, int8_t *out, void *scratch) {
  tn_conv_mve_s8(p, in, out, scratch);
}

#endif
