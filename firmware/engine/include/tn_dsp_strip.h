/* Assembly of the loops tn_dsp_strip<k>x<k>[_stride2]: two outputs of a row at a time. */
#ifndef TN_DSP_STRIP_H
#define TN_DSP_STRIP_H

#include "tn_dsp_depthwise.h"

#if TN_HAVE_DSP

/* Products of a kernel row: r0 record, r1 input, r6 distance of input rows, r4, r5 the two sums, r8 .. r12 input pairs,
 * r2, r3, r7, lr weights. The stack is that of tn_dsp_strip_pairs (tn_dsp_strip.c). */
#define TN_DSP_STRIP_MACROS                 \
  __asm__(                                  \
      ".syntax unified\n"                   \
      ".thumb\n"                            \
      ".macro TN_DW_ROW k, stride\n"        \
      "  .if \\stride == 2\n"               \
      "  .if \\k == 3\n"                    \
      "  ldm r1, {r8, r9, r10}\n"           \
      "  ldm r0!, {r2, r3}\n"               \
      "  .elseif \\k == 5\n"                \
      "  ldm r1, {r8, r9, r10, r11}\n"      \
      "  ldm r0!, {r2, r3, r7}\n"           \
      "  .else\n"                           \
      "  ldm r1, {r8, r9, r10, r11, r12}\n" \
      "  ldm r0!, {r2, r3, r7, lr}\n"       \
      "  .endif\n"                          \
      "  add r1, r1, r6\n"                  \
      "  smlad r4, r8, r2, r4\n"            \
      "  smlad r5, r9, r2, r5\n"            \
      "  smlad r4, r9, r3, r4\n"            \
      "  smlad r5, r10, r3, r5\n"           \
      "  .if \\k > 3\n"                     \
      "  smlad r4, r10, r7, r4\n"           \
      "  smlad r5, r11, r7, r5\n"           \
      "  .endif\n"                          \
      "  .if \\k > 5\n"                     \
      "  smlad r4, r11, lr, r4\n"           \
      "  smlad r5, r12, lr, r5\n"           \
      "  .endif\n"                          \
      "  .elseif \\k == 5\n"                \
      "  ldm r1, {r8, r9, r10}\n"           \
      "  ldm r0!, {r2, r3, r7, lr}\n"       \
      "  add r1, r1, r6\n"                  \
      "  smlad r4, r8, r2, r4\n"            \
      "  smlad r5, r9, r7, r5\n"            \
      "  smlad r4, r9, r3, r4\n"            \
      "  smlad r5, r10, lr, r5\n"           \
      "  smlabt r4, r10, lr, r4\n"          \
      "  smlatb r5, r8, r2, r5\n"           \
      "  .else\n"                           \
      "  ldm r1, {r8, r9, r10, r11}\n"      \
      "  ldm r0!, {r2, r3, r7}\n"           \
      "  add r1, r1, r6\n"                  \
      "  smlad r4, r8, r2, r4\n"            \
      "  smlad r4, r9, r3, r4\n"            \
      "  smlad r4, r10, r7, r4\n"           \
      "  smlatb r5, r8, r2, r5\n"           \
      "  ldm r0!, {r2, r3, r7}\n"           \
      "  smlad r5, r9, r2, r5\n"            \
      "  smlad r5, r10, r3, r5\n"           \
      "  smlad r5, r11, r7, r5\n"           \
      "  smlabt r4, r11, r7, r4\n"          \
      "  .endif\n"                          \
      ".endm\n")

/* `record`: bytes of a record. tn_dsp_strip_pairs jumps to 1: for every pair of outputs, and returns to the caller. */
#define TN_DSP_STRIP(name, k, stride, record)        \
  TN_DSP_STRIP_MACROS;                               \
  __asm__(                                           \
      ".section .text." name ", \"ax\", %progbits\n" \
      ".balign 4\n"                                  \
      ".global " name "\n"                           \
      ".type " name ", %function\n"                  \
      ".thumb_func\n" name ":\n"                     \
      "  push {r4-r11, lr}\n"                        \
      "  movs r1, #" #stride "\n"                    \
      "  movs r2, #(2 * (" #k " - 1))\n"             \
      "  movs r3, #" #record "\n"                    \
      "  bl tn_dsp_strip_pairs\n"                    \
      "1:\n"                                         \
      "  TN_DW_ROW " #k ", " #stride "\n"            \
      "  ldr r2, [sp, #68]\n"                        \
      "  cmp r0, r2\n"                               \
      "  bne 1b\n"                                   \
      "  b.w tn_dsp_strip_sums\n"                    \
      ".size " name ", . - " name "\n"               \
      ".purgem TN_DW_ROW\n"                          \
      ".text\n")
#endif

#endif
