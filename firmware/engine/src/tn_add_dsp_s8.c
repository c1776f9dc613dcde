#include "tn_binary_dsp.h"
#include "tn_dsp.h"

static tn_dsp_add_factors factors_of(const tn_add_params *p, int a_is_wide) {
  tn_dsp_add_factors f;
  f.zero = (a_is_wide ? p->zp_b : p->zp_a) * (1 << 21);
  f.multiplier = a_is_wide ? p->multiplier_b : p->multiplier_a;
  f.shift = -(a_is_wide ? p->shift_b : p->shift_a);
  f.rounding = f.shift > 0 ? 1 << (f.shift - 1) : 0;
  f.zero_wide = (a_is_wide ? p->zp_a : p->zp_b) * (1 << 20);
  f.multiplier_out = p->multiplier_out;
  f.shift_out = -p->shift_out;
  f.rounding_out = (int32_t)((uint32_t)(2 * p->zp_out + 1) << (f.shift_out - 1));
  return f;
}

static int8_t sum(const tn_dsp_add_factors *f, int8_t wide, int8_t other) {
  const int32_t x = other * (1 << 21) - f->zero;
  const int32_t tie = f->shift > 0 ? x >> 31 : 0;
  const int32_t y = (tn_smmlar(x, f->multiplier, f->rounding) + tie) >> f->shift;
  const int32_t twice = wide * (1 << 20) - f->zero_wide + y * 2;
  return (int8_t)tn_ssat8((tn_smmlar(twice, f->multiplier_out, f->rounding_out) + (twice >> 31)) >> f->shift_out);
}

#if TN_HAVE_DSP

/* 4 * n sums; tn_dsp_add_shifted for shift > 0. r4 .. r11 the factors, r0 wide, r1 other, r2 out, r3 n */
__asm__(
    ".syntax unified\n"
    ".thumb\n"
    ".macro TN_ADD shifted\n"
    "  ldrsb r12, [r1], #1\n"
    "  rsb r12, r4, r12, lsl #21\n"
    "  smmlar lr, r12, r5, r6\n"
    "  .if \\shifted\n"
    "  add lr, lr, r12, asr #31\n"
    "  asr lr, lr, r7\n"
    "  .endif\n"
    "  ldrsb r12, [r0], #1\n"
    "  rsb r12, r8, r12, lsl #20\n"
    "  add r12, r12, lr, lsl #1\n"
    "  smmlar lr, r12, r9, r10\n"
    "  add lr, lr, r12, asr #31\n"
    "  asr lr, lr, r11\n"
    "  ssat lr, #8, lr\n"
    "  strb lr, [r2], #1\n"
    ".endm\n"
    ".macro TN_ADD_LOOP shifted\n"
    "  push {r4-r11, lr}\n"
    "  ldr r12, [sp, #36]\n"
    "  ldm r12, {r4-r11}\n"
    "1:\n"
    "  .rept 4\n"
    "  TN_ADD \\shifted\n"
    "  .endr\n"
    "  subs r3, #1\n"
    "  bne 1b\n"
    "  pop {r4-r11, pc}\n"
    ".endm\n"
    ".section .text.tn_dsp_add, \"ax\", %progbits\n"
    ".balign 4\n"
    ".global tn_dsp_add\n"
    ".type tn_dsp_add, %function\n"
    ".thumb_func\n"
    "tn_dsp_add:\n"
    "  TN_ADD_LOOP 0\n"
    ".size tn_dsp_add, . - tn_dsp_add\n"
    ".section .text.tn_dsp_add_shifted, \"ax\", %progbits\n"
    ".balign 4\n"
    ".global tn_dsp_add_shifted\n"
    ".type tn_dsp_add_shifted, %function\n"
    ".thumb_func\n"
    "tn_dsp_add_shifted:\n"
    "  TN_ADD_LOOP 1\n"
    ".size tn_dsp_add_shifted, . - tn_dsp_add_shifted\n"
    ".purgem TN_ADD\n"
    ".purgem TN_ADD_LOOP\n"
    ".text\n");

static uint32_t sums_by_four(const tn_dsp_add_factors *f, const int8_t *wide, const int8_t *other, int8_t *out, uint32_t n) {
  if (n < 4) return 0;
  if (f->shift > 0) {
    tn_dsp_add_shifted(wide, other, out, n / 4, f);
  } else {
    tn_dsp_add(wide, other, out, n / 4, f);
  }
  return n / 4 * 4;
}

#else

static uint32_t sums_by_four(const tn_dsp_add_factors *f, const int8_t *wide, const int8_t *other, int8_t *out, uint32_t n) {
  (void)f;
  (void)wide;
  (void)other;
  (void)out;
  (void)n;
  return 0;
}

#endif

void tn_add_dsp_s8(const tn_add_params *p, const int8_t *a, const int8_t *b, int8_t *out) {
  const int a_is_wide = p->multiplier_a == 1 << 30 && p->shift_a == 0;
  const int8_t *wide = a_is_wide ? a : b, *other = a_is_wide ? b : a;
  const tn_dsp_add_factors f = factors_of(p, a_is_wide);
  for (uint32_t i = sums_by_four(&f, wide, other, out, p->elements); i < p->elements; ++i) {
    out[i] = sum(&f, wide[i], other[i]);
  }
  tn_dsp_clamp(out, (int32_t)p->elements, p->act_min, p->act_max);
}
