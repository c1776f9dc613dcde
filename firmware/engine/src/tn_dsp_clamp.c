#include "tn_dsp.h"

void tn_dsp_clamp(int8_t *x, int32_t n, int32_t low, int32_t high) {
  if (low == INT8_MIN && high == INT8_MAX) return;
#if TN_HAVE_DSP
  /* saturate upwards at 127 and downwards at -128 after moving the bounds there */
  const uint32_t up = 0x01010101u * (uint32_t)(INT8_MAX - high), down = 0x01010101u * (uint32_t)(low - INT8_MIN);
  for (; n >= 4; n -= 4, x += 4) {
    uint32_t v = tn_load4(x);
    __asm__("qadd8 %0, %0, %1\n\tqsub8 %0, %0, %1\n\tqsub8 %0, %0, %2\n\tqadd8 %0, %0, %2" : "+r"(v) : "r"(up), "r"(down));
    tn_store4(x, v);
  }
#endif
  for (; n > 0; --n, ++x) *x = (int8_t)(*x < low ? low : (*x > high ? high : *x));
}
