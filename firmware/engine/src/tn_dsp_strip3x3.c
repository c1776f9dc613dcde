#include "tn_dsp_depthwise.h"

#if TN_HAVE_DSP

/* Two rows of two outputs at a time. r0, r1 upper and lower two input rows, r12 record, r4, r5 sums of the upper and
 * r6, r7 of the lower row of outputs, r8 .. r11 input pairs, r2, r3 weights, lr output
 * stack: 0 end of pairs, 4 right, 8 lower, 12 pixel, 16 8 * pairs, 20 odd, 24 out of these rows, 28 input of the next,
 *        32 lines left, 36 out and 40 input of the channel, 44 out_line, 48 in_line, 52 lines, 56 end of channels,
 *        60 requantisation */
__asm__(
    ".syntax unified\n"
    ".thumb\n"
    /* One row of the kernel (r2, r3) on two pairs of columns, for two outputs. */
    ".macro TN_DW3_FIRST y0, y1, x01, x23\n"
    "  smuad \\y0, \\x01, r2\n"
    "  smultb \\y1, \\x01, r2\n"
    "  smlabt \\y0, \\x23, r3, \\y0\n"
    "  smlad \\y1, \\x23, r3, \\y1\n"
    ".endm\n"
    ".macro TN_DW3_NEXT y0, y1, x01, x23\n"
    "  smlad \\y0, \\x01, r2, \\y0\n"
    "  smlatb \\y1, \\x01, r2, \\y1\n"
    "  smlabt \\y0, \\x23, r3, \\y0\n"
    "  smlad \\y1, \\x23, r3, \\y1\n"
    ".endm\n"
    ".macro TN_DW3_RELU acc\n"
    "  add \\acc, r2, \\acc, lsl #1\n"
    "  smmlar \\acc, \\acc, r3, r8\n"
    "  asr \\acc, \\acc, r9\n"
    "  ssat \\acc, #8, \\acc\n"
    ".endm\n"
    ".macro TN_DW3_LINEAR acc\n"
    "  add \\acc, r2, \\acc, lsl #1\n"
    "  smmlar r10, \\acc, r3, r8\n"
    "  add r10, r10, \\acc, asr #31\n"
    "  asr \\acc, r10, r9\n"
    "  ssat \\acc, #8, \\acc\n"
    ".endm\n"
    ".section .text.tn_dsp_strip3x3, \"ax\", %progbits\n"
    ".balign 4\n"
    ".global tn_dsp_strip3x3\n"
    ".type tn_dsp_strip3x3, %function\n"
    ".thumb_func\n"
    "tn_dsp_strip3x3:\n"
    "  push {r4-r11, lr}\n"
    "  sub sp, #68\n"
    "  ldrd r9, r10, [r0, #32]\n"
    "  adr r1, 7f\n"
    "  cmp r10, #0\n"
    "  it ne\n"
    "  adrne r1, 6f\n"
    "  adds r1, #1\n"
    "  str r1, [sp, #60]\n"
    "  ldm r0, {r1, r2, r3, r4, r5, r6, r7, r8}\n"
    "  mov r12, r1\n"
    "  lsl r8, r8, #3\n"
    "  strd r4, r8, [sp, #12]\n"
    "  str r9, [sp, #20]\n"
    "  strd r3, r2, [sp, #36]\n"
    "  strd r5, r6, [sp, #44]\n"
    "  adds r3, #4\n"
    "  strd r7, r3, [sp, #52]\n"
    "1:\n"
    "  ldrd r2, r3, [sp, #36]\n"
    "  strd r2, r3, [sp, #24]\n"
    "  ldr r4, [sp, #52]\n"
    "  str r4, [sp, #32]\n"
    "2:\n"
    "  ldrd lr, r0, [sp, #24]\n"
    "  ldrd r3, r4, [sp, #44]\n"
    "  add r1, r0, r4\n"
    "  add r6, lr, r3, lsl #1\n"
    "  strd r6, r1, [sp, #24]\n"
    "  ldr r5, [sp, #32]\n"
    "  subs r5, #2\n"
    "  str r5, [sp, #32]\n"
    "  it mi\n"
    "  movmi r3, #0\n"
    "  ldrd r5, r6, [sp, #12]\n"
    "  add r6, r0, r6\n"
    "  strd r6, r5, [sp, #0]\n"
    "  str r3, [sp, #8]\n"
    "  cmp r0, r6\n"
    "  beq 4f\n"
    "3:\n"
    "  ldrd r2, r3, [r12, #16]\n"
    "  ldrd r8, r9, [r0], #8\n"
    "  ldrd r10, r11, [r0]\n"
    "  TN_DW3_FIRST r4, r5, r8, r10\n"
    "  TN_DW3_FIRST r6, r7, r9, r11\n"
    "  ldrd r2, r3, [r12, #24]\n"
    "  TN_DW3_NEXT r4, r5, r9, r11\n"
    "  ldrd r8, r9, [r1], #8\n"
    "  ldrd r10, r11, [r1]\n"
    "  TN_DW3_NEXT r6, r7, r8, r10\n"
    "  ldrd r2, r3, [r12, #32]\n"
    "  TN_DW3_NEXT r4, r5, r8, r10\n"
    "  TN_DW3_NEXT r6, r7, r9, r11\n"
    "  ldm r12, {r2, r3, r8, r9}\n"
    "  ldr pc, [sp, #60]\n"
    ".balign 4\n"
    "7:\n"
    "  TN_DW3_LINEAR r4\n"
    "  TN_DW3_LINEAR r5\n"
    "  TN_DW3_LINEAR r6\n"
    "  TN_DW3_LINEAR r7\n"
    "  b 8f\n"
    ".balign 4\n"
    "6:\n"
    "  TN_DW3_RELU r4\n"
    "  TN_DW3_RELU r5\n"
    "  TN_DW3_RELU r6\n"
    "  TN_DW3_RELU r7\n"
    "8:\n"
    /* r10, r11: distance to the right and the lower output; 0 where there is none, which the real one then replaces */
    "  ldrd r10, r11, [sp, #4]\n"
    "  add r8, r10, r11\n"
    "  strb r7, [lr, r8]\n"
    "  strb r6, [lr, r11]\n"
    "  strb r5, [lr, r10]\n"
    "  strb r4, [lr]\n"
    "  add lr, lr, r10, lsl #1\n"
    "  ldr r2, [sp, #0]\n"
    "  cmp r0, r2\n"
    "  bne 3b\n"
    "4:\n" /* once more for a single output, nothing to its right */
    "  ldr r2, [sp, #4]\n"
    "  ldr r3, [sp, #20]\n"
    "  cbz r2, 5f\n"
    "  cbz r3, 5f\n"
    "  movs r2, #0\n"
    "  add r3, r0, #8\n"
    "  strd r3, r2, [sp, #0]\n"
    "  b 3b\n"
    "5:\n"
    "  ldr r2, [sp, #32]\n"
    "  cmp r2, #0\n"
    "  bgt 2b\n"
    "  ldrd r2, r3, [sp, #36]\n"
    "  ldrd r4, r5, [sp, #16]\n"
    "  add r3, r3, r4\n"
    "  add r3, r3, r5, lsl #3\n"
    "  adds r3, #8\n"
    "  adds r2, #1\n"
    "  strd r2, r3, [sp, #36]\n"
    "  add r12, r12, #40\n"
    "  ldr r4, [sp, #56]\n"
    "  cmp r2, r4\n"
    "  bne 1b\n"
    "  add sp, #68\n"
    "  pop {r4-r11, pc}\n"
    ".size tn_dsp_strip3x3, . - tn_dsp_strip3x3\n"
    ".purgem TN_DW3_FIRST\n"
    ".purgem TN_DW3_NEXT\n"
    ".purgem TN_DW3_RELU\n"
    ".purgem TN_DW3_LINEAR\n"
    ".text\n");

#else

/* Sum of one row of the kernel (w: its two pairs) over columns x .. x + 2 of a row of every other word. */
static int32_t row_sum(const uint32_t *row, const uint32_t *w, int32_t x) {
  const uint32_t *pair = row + x / 2 * 2;
  if (x % 2 == 0) return tn_smlad(pair[0], w[0], tn_low(pair[2]) * tn_high(w[1]));
  return tn_smlad(pair[2], w[1], tn_high(pair[0]) * tn_low(w[0]));
}

static int8_t output(const tn_dsp_strip *s, const uint32_t *record, const uint32_t *rows, int32_t y, int32_t x) {
  int32_t sum = 0;
  for (int32_t k = 0; k < 3; ++k) {
    sum += row_sum(rows + (y + k) / 2 * (s->in_line / 4) + (y + k) % 2, record + 4 + 2 * k, x);
  }
  return tn_dsp_requantise((const tn_dsp_channel *)(const void *)record, (uint32_t)sum << 1, s->is_relu);
}

void tn_dsp_strip3x3(const tn_dsp_strip *s) {
  const int32_t plane = 2 * (s->pairs + s->odd + 1);
  for (int32_t i = 0; i < 4; ++i) {
    for (int32_t y = 0; y < s->lines; ++y) {
      for (int32_t x = 0; x < 2 * s->pairs + s->odd; ++x) {
        s->out[y * s->out_line + x * s->pixel + i] = output(s, s->records + 10 * i, s->rows + plane * i, y, x);
      }
    }
  }
}

#endif
