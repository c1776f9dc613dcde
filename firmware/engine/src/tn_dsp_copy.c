#include "tn_dsp.h"

int8_t *tn_dsp_copy(int8_t *out, const int8_t *x, int32_t n) {
  for (; n >= 4; n -= 4, x += 4, out += 4) tn_store4(out, tn_load4(x));
  for (; n > 0; --n) *out++ = *x++;
  return out;
}
