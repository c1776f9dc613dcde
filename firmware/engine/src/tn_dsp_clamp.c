#include "tn_dsp.h"

#if TN_HAVE_DSP

/* Four bytes clamped to those of low4 and high4: SSUB8 notes which differences are not negative, SEL picks by that. */
static uint32_t clamp4(uint32_t x, uint32_t low4, uint32_t high4) {
  uint32_t difference;
  __asm__(
      "ssub8 %1, %3, %0\n\t"
      "sel %0, %0, %3\n\t"
      "ssub8 %1, %0, %2\n\t"
      "sel %0, %0, %2"
      : "+r"(x), "=&r"(difference)
      : "r"(low4), "r"(high4)
      : "cc");
  return x;
}

#endif

void tn_dsp_clamp(int8_t *x, int32_t n, int32_t low, int32_t high) {
  if (low == INT8_MIN && high == INT8_MAX) return;
#if TN_HAVE_DSP
  const uint32_t low4 = 0x01010101u * (uint8_t)low, high4 = 0x01010101u * (uint8_t)high;
  for (; n >= 4; n -= 4, x += 4) tn_store4(x, clamp4(tn_load4(x), low4, high4));
#endif
  for (; n > 0; --n, ++x) *x = (int8_t)(*x < low ? low : (*x > high ? high : *x));
}
