#include "tn_binary_mve.h"

#include "tn_mve.h"

#if TN_HAVE_MVE

/* Four channels at a time: q0 the map, q1 the factors, q3 the shift, q4 and q5 the activation's range. */
void tn_mul_channels_mve_s8(const tn_mul_channels_params *p, const int8_t *a, const int8_t *b, int8_t *out) {
  const int32_t shift = p->shift, zp_out = p->zp_out, low = p->act_min, high = p->act_max;
  uint32_t pixels = p->pixels;
  const int8_t *factor;
  if (pixels == 0) return;
  __asm__ volatile(
      "ldr lr, %[shift]\n"
      "vdup.32 q3, lr\n"
      "ldr lr, %[low]\n"
      "vdup.32 q4, lr\n"
      "ldr lr, %[high]\n"
      "vdup.32 q5, lr\n"
      "1:\n"
      "mov %[factor], %[b]\n"
      "dls lr, %[fours]\n"
      "2:\n"
      "vldrb.s32 q0, [%[a]], #4\n"
      "vldrb.s32 q1, [%[factor]], #4\n"
      "vadd.i32 q0, q0, %[zp_a]\n"
      "vadd.i32 q1, q1, %[zp_b]\n"
      "vmul.i32 q0, q0, q1\n" TN_MVE_SCALE_SIGNED("q0", "%[multiplier]", "q3", "q2")
      "vadd.i32 q0, q0, %[zp_out]\n"
      "vmax.s32 q0, q0, q4\n"
      "vmin.s32 q0, q0, q5\n"
      "vstrb.32 q0, [%[out]], #4\n"
      "le lr, 2b\n"
      "subs %[pixels], #1\n"
      "bne 1b\n"
      : [a] "+l"(a), [out] "+l"(out), [factor] "=&l"(factor), [pixels] "+r"(pixels)
      : [b] "r"(b), [fours] "r"(p->channels / 4), [zp_a] "r"(-p->zp_a), [zp_b] "r"(-p->zp_b), [zp_out] "r"(zp_out),
        [multiplier] "r"(p->multiplier), [shift] "m"(shift), [low] "m"(low), [high] "m"(high)
      : "q0", "q1", "q2", "q3", "q4", "q5", "lr", "cc", "memory");
}

#endif
