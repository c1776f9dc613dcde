/* Assembly of the loops tn_dsp_strip<k>x<k>[_stride2]: two outputs of a row at a time. */
#ifndef TN_DSP_STRIP_H
#define TN_DSP_STRIP_H

#include "tn_dsp_depthwise.h"

#if TN_HAVE_DSP

/* r0 record, r1 input, r6 distance of input rows, r4, r5 the two sums, r8 .. r12 input pairs, r2, r3, r7, lr weights
 * stack: 0 input column, 4 its end, 8 out, 12 distance to the right output, 16 requantisation, 20 pixel, 24 bytes of
 *        all pairs, 28 odd, 32 out and 36 input of the row, 40 lines left, 44 out and 48 input of the channel,
 *        52 out_line, 56 lines, 60 end of channels */
#define TN_DSP_STRIP_MACROS                               \
  __asm__(                                                \
      ".syntax unified\n"                                 \
      ".thumb\n"                                          \
      ".macro TN_DW_MUL acc, a, b, first\n"               \
      "  .if \\first\n"                                   \
      "  smuad \\acc, \\a, \\b\n"                         \
      "  .else\n"                                         \
      "  smlad \\acc, \\a, \\b, \\acc\n"                  \
      "  .endif\n"                                        \
      ".endm\n"                                           \
      ".macro TN_DW_ROW k, stride, first\n"               \
      "  .if \\stride == 2\n"                             \
      "  .if \\k == 3\n"                                  \
      "  ldm r1, {r8, r9, r10}\n"                         \
      "  ldm r0!, {r2, r3}\n"                             \
      "  .elseif \\k == 5\n"                              \
      "  ldm r1, {r8, r9, r10, r11}\n"                    \
      "  ldm r0!, {r2, r3, r7}\n"                         \
      "  .else\n"                                         \
      "  ldm r1, {r8, r9, r10, r11, r12}\n"               \
      "  ldm r0!, {r2, r3, r7, lr}\n"                     \
      "  .endif\n"                                        \
      "  add r1, r1, r6\n"                                \
      "  TN_DW_MUL r4, r8, r2, \\first\n"                 \
      "  TN_DW_MUL r5, r9, r2, \\first\n"                 \
      "  smlad r4, r9, r3, r4\n"                          \
      "  smlad r5, r10, r3, r5\n"                         \
      "  .if \\k > 3\n"                                   \
      "  smlad r4, r10, r7, r4\n"                         \
      "  smlad r5, r11, r7, r5\n"                         \
      "  .endif\n"                                        \
      "  .if \\k > 5\n"                                   \
      "  smlad r4, r11, lr, r4\n"                         \
      "  smlad r5, r12, lr, r5\n"                         \
      "  .endif\n"                                        \
      "  .elseif \\k == 5\n"                              \
      "  ldm r1, {r8, r9, r10}\n"                         \
      "  ldm r0!, {r2, r3, r7, lr}\n"                     \
      "  add r1, r1, r6\n"                                \
      "  TN_DW_MUL r4, r8, r2, \\first\n"                 \
      "  TN_DW_MUL r5, r9, r7, \\first\n"                 \
      "  smlad r4, r9, r3, r4\n"                          \
      "  smlad r5, r10, lr, r5\n"                         \
      "  smlabt r4, r10, lr, r4\n"                        \
      "  smlatb r5, r8, r2, r5\n"                         \
      "  .else\n"                                         \
      "  ldm r1, {r8, r9, r10, r11}\n"                    \
      "  ldm r0!, {r2, r3, r7}\n"                         \
      "  add r1, r1, r6\n"                                \
      "  TN_DW_MUL r4, r8, r2, \\first\n"                 \
      "  smlad r4, r9, r3, r4\n"                          \
      "  smlad r4, r10, r7, r4\n"                         \
      "  .if \\first\n"                                   \
      "  smultb r5, r8, r2\n"                             \
      "  .else\n"                                         \
      "  smlatb r5, r8, r2, r5\n"                         \
      "  .endif\n"                                        \
      "  ldm r0!, {r2, r3, r7}\n"                         \
      "  smlad r5, r9, r2, r5\n"                          \
      "  smlad r5, r10, r3, r5\n"                         \
      "  smlad r5, r11, r7, r5\n"                         \
      "  smlabt r4, r11, r7, r4\n"                        \
      "  .endif\n"                                        \
      ".endm\n"                                           \
      ".macro TN_DW_STRIP k, stride, record\n"\
      "  push {r4-r11, lr}\n"\
      "  sub sp, #68\n"\
      "  ldr r10, [r0, #36]\n"\
      "  ldr r9, [r0, #32]\n"\
      "  ldm r0, {r1, r2, r3, r4, r5, r6, r7, r8}\n"\
      "  mov r0, r1\n"\
      "  lsl r8, r8, #(1 + \\stride)\n"\
      "  str r4, [sp, #20]\n"\
      "  strd r8, r9, [sp, #24]\n"\
      "  strd r3, r2, [sp, #44]\n"\
      "  adds r3, #4\n"\
      "  strd r5, r7, [sp, #52]\n"\
      "  str r3, [sp, #60]\n"\
      "  ldr r3, =7f\n"\
      "  cmp r10, #0\n"\
      "  it ne\n"\
      "  ldrne r3, =6f\n"\
      "  orr r3, r3, #1\n"\
      "  str r3, [sp, #16]\n"\
      "1:\n"\
      "  ldrd r2, r3, [sp, #44]\n"\
      "  strd r2, r3, [sp, #32]\n"\
      "  ldr r4, [sp, #56]\n"\
      "  str r4, [sp, #40]\n"\
      "5:\n"\
      "  ldrd r2, r1, [sp, #32]\n"\
      "  ldr r3, [sp, #52]\n"\
      "  add r4, r2, r3\n"\
      "  add r5, r1, r6, lsl #(\\stride - 1)\n"\
      "  strd r4, r5, [sp, #32]\n"\
      "  ldrd r3, r4, [sp, #20]\n"\
      "  strd r2, r3, [sp, #8]\n"\
      "  add r4, r1, r4\n"\
      "  strd r1, r4, [sp, #0]\n"\
      "  cmp r1, r4\n"\
      "  beq 3f\n"\
      "2:\n"                                              \
      "  TN_DW_ROW \\k, \\stride, 1\n"                    \
      "  .rept \\k - 1\n"                                 \
      "  TN_DW_ROW \\k, \\stride, 0\n"                    \
      "  .endr\n"                                         \
      "  ldm r0!, {r2, r3, r7, lr}\n"                     \
      "  add r4, r2, r4, lsl #1\n"                        \
      "  add r5, r2, r5, lsl #1\n"                        \
      "  ldr pc, [sp, #16]\n"                             \
      ".balign 4\n"                                       \
      "6:\n"                                              \
      "  smmlar r4, r4, r3, r7\n"                         \
      "  smmlar r5, r5, r3, r7\n"                         \
      "  b 8f\n"                                          \
      ".balign 4\n"                                       \
      "7:\n"                                              \
      "  smmlar r8, r4, r3, r7\n"                         \
      "  smmlar r9, r5, r3, r7\n"                         \
      "  add r4, r8, r4, asr #31\n"                       \
      "  add r5, r9, r5, asr #31\n"                       \
      "8:\n"                                              \
      "  asr r4, r4, lr\n"                                \
      "  asr r5, r5, lr\n"                                \
      "  ssat r4, #8, r4\n"                               \
      "  ssat r5, #8, r5\n"                               \
      "  sub r0, r0, #\\record\n"                         \
      "  ldrd r2, r3, [sp, #8]\n"                         \
      "  strb r5, [r2, r3]\n" /* none: r3 = 0 */          \
      "  strb r4, [r2]\n"                                 \
      "  add r2, r2, r3, lsl #1\n"                        \
      "  str r2, [sp, #8]\n"                              \
      "  ldrd r1, r4, [sp, #0]\n"                         \
      "  adds r1, #(4 * \\stride)\n"                      \
      "  str r1, [sp, #0]\n"                              \
      "  cmp r1, r4\n"                                    \
      "  bne 2b\n"                                        \
      "3:\n" /* a single output, nothing to its right */  \
      "  ldr r2, [sp, #12]\n"                             \
      "  ldr r3, [sp, #28]\n"                             \
      "  cbz r2, 4f\n"                                    \
      "  cbz r3, 4f\n"                                    \
      "  movs r2, #0\n"                                   \
      "  str r2, [sp, #12]\n"                             \
      "  add r3, r1, #(4 * \\stride)\n"                   \
      "  str r3, [sp, #4]\n"                              \
      "  b 2b\n"                                          \
      "4:\n"\
      "  ldr r2, [sp, #40]\n"\
      "  subs r2, #1\n"\
      "  str r2, [sp, #40]\n"\
      "  bne 5b\n"\
      "  ldrd r2, r3, [sp, #44]\n"\
      "  ldrd r4, r5, [sp, #24]\n"\
      "  add r3, r3, r4\n"\
      "  add r3, r3, r5, lsl #(1 + \\stride)\n"\
      "  adds r3, #(2 * (\\k - 1))\n"\
      "  adds r2, #1\n"\
      "  strd r2, r3, [sp, #44]\n"\
      "  add r0, r0, #\\record\n"\
      "  ldr r4, [sp, #60]\n"\
      "  cmp r2, r4\n"\
      "  bne 1b\n"\
      "  add sp, #68\n"\
      "  pop {r4-r11, pc}\n"\
      ".ltorg\n"                                          \
      ".endm\n")

/* `record`: bytes of a record */
#define TN_DSP_STRIP(name, k, stride, record)        \
  TN_DSP_STRIP_MACROS;                               \
  __asm__(                                           \
      ".section .text." name ", \"ax\", %progbits\n" \
      ".balign 4\n"                                  \
      ".global " name "\n"                           \
      ".type " name ", %function\n"                  \
      ".thumb_func\n" name ":\n"                     \
      "  TN_DW_STRIP " #k ", " #stride ", " #record "\n" \
      ".size " name ", . - " name "\n"               \
      ".purgem TN_DW_MUL\n"                      \
      ".purgem TN_DW_ROW\n"                      \
      ".purgem TN_DW_STRIP\n"                    \
      ".text\n")
#endif

#endif
