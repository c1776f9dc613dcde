#include "tn_dsp_depthwise.h"

#if TN_HAVE_DSP

__asm__(
    ".syntax unified\n"
    ".thumb\n"
    /* r4, r5: four channels of the left and the right pixel; r2 channel 0, r0 distance of channels, r10 channel 3 */
    ".macro TN_SPREAD step\n"
    "  sxtb16 r6, r4\n"
    "  sxtb16 r7, r5\n"
    "  sxtb16 r8, r4, ror #8\n"
    "  sxtb16 r9, r5, ror #8\n"
    "  pkhbt r4, r6, r7, lsl #16\n"
    "  pkhtb r5, r7, r6, asr #16\n"
    "  pkhbt r6, r8, r9, lsl #16\n"
    "  pkhtb r7, r9, r8, asr #16\n"
    "  str r5, [r2, r0, lsl #1]\n"
    "  str r6, [r2, r0]\n"
    "  str r7, [r10], #\\step\n"
    "  str r4, [r2], #\\step\n"
    ".endm\n"
    ".macro TN_SPREAD_INNER step\n"
    "  ldr r4, [r1]\n"
    "  ldr r5, [r1, r3]\n"
    "  add r1, r1, r3, lsl #1\n"
    "  TN_SPREAD \\step\n"
    ".endm\n"
    ".macro TN_SPREAD_ROW step\n"
    "  push {r4-r11, lr}\n"
    "  ldrd r3, r4, [r0]\n"
    "  ldrd r11, r6, [r0, #8]\n"
    "  ldrd lr, r12, [r0, #16]\n"
    "  add r10, r2, r4, lsl #1\n"
    "  add r10, r10, r4\n"
    "  mov r0, r4\n"
    "  cbz r6, 1f\n"
    "  mov r4, r12\n"
    "  ldr r5, [r1]\n"
    "  add r1, r1, r3\n"
    "  TN_SPREAD \\step\n"
    "1:\n"
    "  lsrs r11, r11, #1\n"
    "  bcs 3f\n"
    "  subs r11, #1\n"
    "  bmi 4f\n"
    "2:\n"
    "  TN_SPREAD_INNER \\step\n"
    "3:\n"
    "  TN_SPREAD_INNER \\step\n"
    "  subs r11, #1\n"
    "  bpl 2b\n"
    "4:\n"
    "  cmp lr, #0\n"
    "  beq 5f\n"
    "  ldr r4, [r1]\n"
    "  mov r5, r12\n"
    "  TN_SPREAD \\step\n"
    "5:\n"
    "  pop {r4-r11, pc}\n"
    ".endm\n"
    ".section .text.tn_dsp_spread4, \"ax\", %progbits\n"
    ".balign 4\n"
    ".global tn_dsp_spread4\n"
    ".type tn_dsp_spread4, %function\n"
    ".thumb_func\n"
    "tn_dsp_spread4:\n"
    "  TN_SPREAD_ROW 4\n"
    ".size tn_dsp_spread4, . - tn_dsp_spread4\n"
    ".section .text.tn_dsp_spread8, \"ax\", %progbits\n"
    ".balign 4\n"
    ".global tn_dsp_spread8\n"
    ".type tn_dsp_spread8, %function\n"
    ".thumb_func\n"
    "tn_dsp_spread8:\n"
    "  TN_SPREAD_ROW 8\n"
    ".size tn_dsp_spread8, . - tn_dsp_spread8\n"
    ".purgem TN_SPREAD\n"
    ".purgem TN_SPREAD_INNER\n"
    ".purgem TN_SPREAD_ROW\n"
    ".text\n");

#else

static void spread_pair(uint32_t left, uint32_t right, int32_t plane, uint32_t *out) {
  for (int32_t i = 0; i < 4; ++i, left >>= 8, right >>= 8, out += plane) {
    *out = tn_pair((int8_t)(left & 0xFFu), (int8_t)(right & 0xFFu));
  }
}

static void spread(const tn_dsp_columns *c, const int8_t *x, uint32_t *out, int32_t step) {
  const int32_t plane = c->plane / 4;
  if (c->left) {
    spread_pair(c->zero4, tn_load4(x), plane, out);
    x += c->pixel;
    out += step;
  }
  for (int32_t i = 0; i < c->inner; ++i, x += 2 * c->pixel, out += step) {
    spread_pair(tn_load4(x), tn_load4(x + c->pixel), plane, out);
  }
  if (c->right) spread_pair(tn_load4(x), c->zero4, plane, out);
}

void tn_dsp_spread4(const tn_dsp_columns *c, const int8_t *x, uint32_t *out) { spread(c, x, out, 1); }

void tn_dsp_spread8(const tn_dsp_columns *c, const int8_t *x, uint32_t *out) { spread(c, x, out, 2); }

#endif
