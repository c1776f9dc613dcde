#include "tn_conv_mve.h"

#if TN_HAVE_MVE

void tn_conv1x1_mve_s8(const tn_conv1x1_mve_params *p, const int8_t *in, int8_t *out) {
  const tn_mve_rows rows = {in, p->matrix.n, (int32_t)p->pixels};
  tn_mve_gemm(&p->matrix, p->stream, rows, out);
}

#endif
