#include "tn_dsp.h"

#if TN_HAVE_DSP

/* Two words of weights (channels a, b and c, d) times a pair of inputs of two pixels. 48 bytes, all instructions wide,
 * which the entry into the middle of the unrolled loop relies on. `mac` is smlad, or smuad for the first step. */
__asm__(
    ".syntax unified\n"
    ".thumb\n"
    ".macro TN_GEMM2_STEP\n"
    "  ldrd r2, r3, [r0], #8\n"
    "  ldrd r12, lr, [r1], #8\n"
    "  smlad r4, r12, r2, r4\n"
    "  smlad r5, r12, r3, r5\n"
    "  sxtb16 r12, r12\n"
    "  smlad r8, lr, r2, r8\n"
    "  smlad r9, lr, r3, r9\n"
    "  sxtb16 lr, lr\n"
    "  smlad r6, r12, r2, r6\n"
    "  smlad r7, r12, r3, r7\n"
    "  smlad r10, lr, r2, r10\n"
    "  smlad r11, lr, r3, r11\n"
    ".endm\n"
    /* r2, r3, r12, lr: bias2, multiplier, rounding, shift; acc is 2^(shift) times the sum */
    ".macro TN_GEMM2_RELU acc0, acc1, scale:vararg\n"
    "  ldm r0!, {r2, r3, r12, lr}\n"
    "  add \\acc0, r2, \\acc0, \\scale\n"
    "  add \\acc1, r2, \\acc1, \\scale\n"
    "  smmlar \\acc0, \\acc0, r3, r12\n"
    "  smmlar \\acc1, \\acc1, r3, r12\n"
    "  asr \\acc0, \\acc0, lr\n"
    "  asr \\acc1, \\acc1, lr\n"
    "  ssat \\acc0, #8, \\acc0\n"
    "  ssat \\acc1, #8, \\acc1\n"
    ".endm\n"
    ".macro TN_GEMM2_LINEAR acc0, acc1, scale:vararg\n"
    "  ldm r0!, {r2, r3, r12, lr}\n"
    "  add \\acc0, r2, \\acc0, \\scale\n"
    "  add \\acc1, r2, \\acc1, \\scale\n"
    "  smmlar r2, \\acc0, r3, r12\n"
    "  smmlar r3, \\acc1, r3, r12\n"
    "  add r2, r2, \\acc0, asr #31\n"
    "  add r3, r3, \\acc1, asr #31\n"
    "  asr \\acc0, r2, lr\n"
    "  asr \\acc1, r3, lr\n"
    "  ssat \\acc0, #8, \\acc0\n"
    "  ssat \\acc1, #8, \\acc1\n"
    ".endm\n"
    ".section .text.tn_dsp_gemm2, \"ax\", %progbits\n"
    ".balign 4\n"
    ".global tn_dsp_gemm2\n"
    ".type tn_dsp_gemm2, %function\n"
    ".thumb_func\n"
    "tn_dsp_gemm2:\n" /* stack: 0 x, 4 its end, 8 entry, 12 epilogue, 16 channels, 20 their end, 24 out0, 28 out1 */
    "  push {r4-r11, lr}\n"
    "  sub sp, #36\n"
    "  strd r2, r3, [sp, #24]\n"
    "  ldm r0, {r2, r4, r5, r6, r7}\n" /* weight, channels, steps, blocks, is_relu */
    "  add r3, r1, r5, lsl #3\n"
    "  strd r1, r3, [sp, #0]\n"
    "  add r6, r4, r6, lsl #6\n"
    "  strd r4, r6, [sp, #16]\n"
    "  mov r1, r2\n"
    "  rsb r5, r5, #1\n" /* steps left out of the first turn: (1 - steps) mod 8 */
    "  and r5, r5, #7\n"
    "  add r5, r5, r5, lsl #1\n"
    "  adr r3, 2f\n"
    "  add r3, r3, r5, lsl #4\n"
    "  orr r3, r3, #1\n"
    "  adr r4, 3f\n"
    "  cmp r7, #0\n"
    "  it eq\n"
    "  ldreq r4, =4f\n"
    "  orr r4, r4, #1\n"
    "  strd r3, r4, [sp, #8]\n"
    "1:\n"
    "  ldr r0, [sp, #0]\n"
    "  ldrd r2, r3, [r0], #8\n"
    "  ldrd r12, lr, [r1], #8\n"
    "  smuad r4, r12, r2\n"
    "  smuad r5, r12, r3\n"
    "  sxtb16 r12, r12\n"
    "  smuad r8, lr, r2\n"
    "  smuad r9, lr, r3\n"
    "  sxtb16 lr, lr\n"
    "  smuad r6, r12, r2\n"
    "  smuad r7, r12, r3\n"
    "  smuad r10, lr, r2\n"
    "  smuad r11, lr, r3\n"
    "  ldr pc, [sp, #8]\n"
    ".balign 4\n"
    "2:\n"
    "  .rept 8\n"
    "  TN_GEMM2_STEP\n"
    "  .endr\n"
    "  ldr r2, [sp, #4]\n"
    "  cmp r0, r2\n"
    "  bne 2b\n"
    "  ldr r0, [sp, #16]\n"
    "  sub r4, r4, r6\n"
    "  sub r5, r5, r7\n"
    "  sub r8, r8, r10\n"
    "  sub r9, r9, r11\n"
    "  ldr pc, [sp, #12]\n"
    ".balign 4\n"
    "3:\n"
    "  TN_GEMM2_RELU r4, r5, asr #7\n"
    "  TN_GEMM2_RELU r6, r7, lsl #1\n"
    "  TN_GEMM2_RELU r8, r9, asr #7\n"
    "  TN_GEMM2_RELU r10, r11, lsl #1\n"
    "  b 5f\n"
    ".balign 4\n"
    "4:\n"
    "  TN_GEMM2_LINEAR r4, r5, asr #7\n"
    "  TN_GEMM2_LINEAR r6, r7, lsl #1\n"
    "  TN_GEMM2_LINEAR r8, r9, asr #7\n"
    "  TN_GEMM2_LINEAR r10, r11, lsl #1\n"
    "5:\n"
    "  ldrd r2, r3, [sp, #24]\n"
    "  bfi r4, r6, #8, #8\n"
    "  bfi r4, r8, #16, #8\n"
    "  bfi r4, r10, #24, #8\n"
    "  str r4, [r2], #4\n"
    "  bfi r5, r7, #8, #8\n"
    "  bfi r5, r9, #16, #8\n"
    "  bfi r5, r11, #24, #8\n"
    "  str r5, [r3], #4\n"
    "  strd r2, r3, [sp, #24]\n"
    "  ldr r2, [sp, #20]\n"
    "  str r0, [sp, #16]\n"
    "  cmp r0, r2\n"
    "  bne 1b\n"
    "  add sp, #36\n"
    "  pop {r4-r11, pc}\n"
    ".ltorg\n"
    ".size tn_dsp_gemm2, . - tn_dsp_gemm2\n"
    ".purgem TN_GEMM2_STEP\n"
    ".purgem TN_GEMM2_RELU\n"
    ".purgem TN_GEMM2_LINEAR\n"
    ".text\n");

__asm__(
    ".syntax unified\n"
    ".thumb\n"
    ".macro TN_GEMM1_STEPS\n" /* two steps, 14 wide instructions: 56 bytes */
    "  ldrd r2, r3, [r0], #8\n"
    "  ldm.w r1!, {r8, r9, r10, r11}\n"
    "  smlad r4, r8, r2, r4\n"
    "  sxtb16 r8, r8\n"
    "  smlad r6, r9, r2, r6\n"
    "  sxtb16 r9, r9\n"
    "  smlad r5, r8, r2, r5\n"
    "  smlad r7, r9, r2, r7\n"
    "  smlad r4, r10, r3, r4\n"
    "  sxtb16 r10, r10\n"
    "  smlad r6, r11, r3, r6\n"
    "  sxtb16 r11, r11\n"
    "  smlad r5, r10, r3, r5\n"
    "  smlad r7, r11, r3, r7\n"
    ".endm\n"
    ".macro TN_GEMM1_RELU acc, scale:vararg\n"
    "  ldm r0!, {r2, r3, r8, r9}\n"
    "  add \\acc, r2, \\acc, \\scale\n"
    "  smmlar \\acc, \\acc, r3, r8\n"
    "  asr \\acc, \\acc, r9\n"
    "  ssat \\acc, #8, \\acc\n"
    ".endm\n"
    ".macro TN_GEMM1_LINEAR acc, scale:vararg\n"
    "  ldm r0!, {r2, r3, r8, r9}\n"
    "  add \\acc, r2, \\acc, \\scale\n"
    "  smmlar r2, \\acc, r3, r8\n"
    "  add \\acc, r2, \\acc, asr #31\n"
    "  asr \\acc, \\acc, r9\n"
    "  ssat \\acc, #8, \\acc\n"
    ".endm\n"
    ".section .text.tn_dsp_gemm1, \"ax\", %progbits\n"
    ".balign 4\n"
    ".global tn_dsp_gemm1\n"
    ".type tn_dsp_gemm1, %function\n"
    ".thumb_func\n"
    "tn_dsp_gemm1:\n" /* stack: 0 x, 4 entry, 8 channels, 12 their end, 16 out, 20 is_relu; r12: end of x */
    "  push {r4-r11, lr}\n"
    "  sub sp, #28\n"
    "  str r2, [sp, #16]\n"
    "  ldm r0, {r2, r4, r5, r6, r7}\n" /* weight, channels, steps, blocks, is_relu */
    "  str r7, [sp, #20]\n"
    "  add r12, r1, r5, lsl #2\n"
    "  str r1, [sp, #0]\n"
    "  add r6, r4, r6, lsl #6\n"
    "  strd r4, r6, [sp, #8]\n"
    "  mov r1, r2\n"
    "  lsr r5, r5, #1\n" /* pairs of steps left out of the first turn: -(steps / 2) mod 4 */
    "  rsb r5, r5, #0\n"
    "  and r5, r5, #3\n"
    "  rsb r5, r5, r5, lsl #3\n"
    "  adr r3, 2f\n"
    "  add r3, r3, r5, lsl #3\n"
    "  orr r3, r3, #1\n"
    "  str r3, [sp, #4]\n"
    "1:\n"
    "  ldr r0, [sp, #0]\n"
    "  movs r4, #0\n"
    "  movs r5, #0\n"
    "  movs r6, #0\n"
    "  movs r7, #0\n"
    "  ldr pc, [sp, #4]\n"
    ".balign 4\n"
    "2:\n"
    "  .rept 4\n"
    "  TN_GEMM1_STEPS\n"
    "  .endr\n"
    "  cmp r0, r12\n"
    "  bne 2b\n"
    "  ldrd r0, lr, [sp, #8]\n"
    "  sub r4, r4, r5\n"
    "  sub r6, r6, r7\n"
    "  ldr r2, [sp, #20]\n"
    "  cbz r2, 4f\n"
    "  TN_GEMM1_RELU r4, asr #7\n"
    "  TN_GEMM1_RELU r5, lsl #1\n"
    "  TN_GEMM1_RELU r6, asr #7\n"
    "  TN_GEMM1_RELU r7, lsl #1\n"
    "  b 5f\n"
    "4:\n"
    "  TN_GEMM1_LINEAR r4, asr #7\n"
    "  TN_GEMM1_LINEAR r5, lsl #1\n"
    "  TN_GEMM1_LINEAR r6, asr #7\n"
    "  TN_GEMM1_LINEAR r7, lsl #1\n"
    "5:\n"
    "  ldr r2, [sp, #16]\n"
    "  bfi r4, r5, #8, #8\n"
    "  bfi r4, r6, #16, #8\n"
    "  bfi r4, r7, #24, #8\n"
    "  str r4, [r2], #4\n"
    "  str r2, [sp, #16]\n"
    "  str r0, [sp, #8]\n"
    "  cmp r0, lr\n"
    "  bne 1b\n"
    "  add sp, #28\n"
    "  pop {r4-r11, pc}\n"
    ".size tn_dsp_gemm1, . - tn_dsp_gemm1\n"
    ".purgem TN_GEMM1_STEPS\n"
    ".purgem TN_GEMM1_RELU\n"
    ".purgem TN_GEMM1_LINEAR\n"
    ".text\n");

__asm__(
    ".syntax unified\n"
    ".thumb\n"
    ".macro TN_EXPAND2\n"
    "  ldr r4, [r1], #4\n"
    "  ldr r5, [r2], #4\n"
    "  sxtb16 r6, r4\n"
    "  sxtb16 r7, r5\n"
    "  sxtb16 r8, r4, ror #8\n"
    "  sxtb16 r9, r5, ror #8\n"
    "  stm r0!, {r6, r7, r8, r9}\n"
    ".endm\n"
    ".section .text.tn_dsp_expand2, \"ax\", %progbits\n"
    ".balign 4\n"
    ".global tn_dsp_expand2\n"
    ".type tn_dsp_expand2, %function\n"
    ".thumb_func\n"
    "tn_dsp_expand2:\n"
    "  push {r4-r9}\n"
    "  lsrs r3, r3, #1\n"
    "  bcc 1f\n"
    "  TN_EXPAND2\n"
    "1:\n"
    "  cbz r3, 3f\n"
    "2:\n"
    "  TN_EXPAND2\n"
    "  TN_EXPAND2\n"
    "  subs r3, #1\n"
    "  bne 2b\n"
    "3:\n"
    "  pop {r4-r9}\n"
    "  bx lr\n"
    ".size tn_dsp_expand2, . - tn_dsp_expand2\n"
    ".purgem TN_EXPAND2\n"
    ".text\n");

#else

/* Two channels of one pixel; `w` their word of the first step, `x` the pixel's pair. */
static void two_channels(const tn_dsp_gemm *g, const int8_t *w, const uint32_t *x, int32_t stride,
                         const tn_dsp_channel *c, int8_t *out) {
  int32_t both = 0, second = 0; /* 256 * A + B and B */
  for (int32_t i = 0; i < g->steps; ++i) {
    const uint32_t word = tn_load4(w + 8 * i);
    both = tn_smlad(word, x[i * stride], both);
    second = tn_smlad(tn_sxtb16(word), x[i * stride], second);
  }
  const int32_t first = (int32_t)((uint32_t)both - (uint32_t)second) >> 7;
  out[0] = tn_dsp_requantise(c, (uint32_t)first, g->is_relu);
  out[1] = tn_dsp_requantise(c + 1, (uint32_t)second << 1, g->is_relu);
}

static void pixel(const tn_dsp_gemm *g, const uint32_t *x, int32_t stride, int8_t *out) {
  for (int32_t i = 0; i < 2 * g->blocks; ++i) {
    const int8_t *w = g->weight + (i / 2) * 8 * g->steps + (i % 2) * 4;
    two_channels(g, w, x, stride, g->channels + 2 * i, out + 2 * i);
  }
}

void tn_dsp_gemm2(const tn_dsp_gemm *g, const uint32_t *x, int8_t *out0, int8_t *out1) {
  pixel(g, x, 2, out0);
  pixel(g, x + 1, 2, out1);
}

void tn_dsp_gemm1(const tn_dsp_gemm *g, const uint32_t *x, int8_t *out) { pixel(g, x, 1, out); }

uint32_t *tn_dsp_expand2(uint32_t *out, const int8_t *a, const int8_t *b, int32_t words) {
  for (int32_t i = 0; i < words; ++i, a += 4, b += 4, out += 4) {
    out[0] = tn_sxtb16(tn_load4(a));
    out[1] = tn_sxtb16(tn_load4(b));
    out[2] = tn_sxtb16_odd(tn_load4(a));
    out[3] = tn_sxtb16_odd(tn_load4(b));
  }
  return out;
}

#endif

uint32_t *tn_dsp_expand1(uint32_t *out, const int8_t *a, int32_t words) {
  for (int32_t i = 0; i < words; ++i, a += 4, out += 2) {
    const uint32_t x = tn_load4(a);
    out[0] = tn_sxtb16(x);
    out[1] = tn_sxtb16_odd(x);
  }
  return out;
}
