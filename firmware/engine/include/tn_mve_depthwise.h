/* What the depthwise convolutions of tn_depthwise_mve.h share. */
#ifndef TN_MVE_DEPTHWISE_H
#define TN_MVE_DEPTHWISE_H

#include "tn_depthwise_mve.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TN_MVE_COLUMN = 64 /* bytes of a strip's column: sixteen channels, four rows */ };

/* What the inner loops load by address, first, and advance from channel to channel. A pass is one way over the width;
 * passes over further rows of strips follow with the same weights. */
typedef struct {
  uint32_t words[4]; /* addresses of a vector's words in the first channel's window */
  int32_t units;     /* of four outputs each, per pass */
  int32_t out_zp;    /* less act_min */
  int8_t *out;       /* first unit's outputs; a unit is 64 bytes from the next one */
  const int8_t *end; /* of the records */
  int32_t passes;
  int32_t jump; /* from the end of a pass to the next one */
  int32_t left; /* passes */
  int32_t stride_w;
  int32_t is_relu; /* rounding is TN_MVE_RELU */
} tn_mve_strip;

/* Outputs less act_min, as uint8, of up to sixteen channels, whose records are given. */
typedef void (*tn_mve_channels)(tn_mve_strip *s, const int8_t *record);

/* A kernel's way through the image. */
typedef struct {
  tn_mve_channels channels;
  uint8_t strips;  /* of four input rows each, 1 or 2 */
  uint8_t vectors; /* of a window */
  uint8_t rows;    /* output rows at a time, 1 or 2; a unit has 4 / rows columns */
} tn_mve_windows;

void tn_mve_depthwise(const tn_mve_windows *w, const tn_depthwise_mve_params *p, const int8_t *in, int8_t *out,
                      void *scratch);

/* Parts of the inner loops. r8: bias, r9: multiplier, r10: shift to the right; if there may be a shift to the left or
 * negative results count: r11: zero point less act_min, r12: -31 to find the sign, or 32 to find 0 if there is no shift
 * to the right, [left]: shift to the left; else [left]: passes to come. q7: addresses, which a load advances first. */

/* `constants`: bytes of a record's weights. */
#define TN_MVE_CHANNEL(constants)            \
  "vldrw.u32 q7, [%[k]]\n"                   \
  "movs r0, #4\n"                            \
  "vadd.i32 q6, q7, r0\n"                    \
  "ldrd r8, r9, [%[w], #" constants "]\n"    \
  "vstrw.32 q6, [%[k]]\n"                    \
  "ldr %[out], [%[k], #24]\n"                \
  "add r0, %[out], #4\n"                     \
  "ldr r10, [%[w], #" constants " + 8]\n"    \
  "str r0, [%[k], #24]\n"

#define TN_MVE_CHANNEL_RELU(constants) TN_MVE_CHANNEL(constants) "ldr %[left], [%[k], #32]\n"

#define TN_MVE_CHANNEL_ANY(constants)        \
  TN_MVE_CHANNEL(constants)                  \
  "ldr r0, [%[k], #32]\n"                    \
  "str r0, [%[k], #40]\n"                    \
  "bic %[left], r10, r10, asr #31\n"         \
  "and r10, r10, r10, asr #31\n"             \
  "cmp r10, #0\n"                            \
  "ite lt\n"                                 \
  "mvnlt r12, #30\n"                         \
  "movge r12, #32\n"

/* Before the loop over units, which starts with label 1. */
#define TN_MVE_PASS            \
  "4: ldr lr, [%[k], #16]\n"   \
  "dls lr, lr\n"

/* Stores four outputs, saturated to uint8 by a shift to the top byte and back. */
#define TN_MVE_UNIT_END          \
  "vqshlu.s32 q0, q0, #24\n"     \
  "vshr.u32 q0, q0, #24\n"       \
  "vstrb.32 q0, [%[out]], #64\n" \
  "le lr, 1b\n"                  \
  "ldr r0, [%[k], #36]\n"        \
  "vadd.i32 q7, q7, r0\n"

#define TN_MVE_UNIT_RELU(free_vector) \
  "vadd.i32 q0, q0, r8\n"             \
  "vqrdmulh.s32 q0, q0, r9\n"         \
  "vrshl.s32 q0, r10\n"               \
  TN_MVE_UNIT_END                     \
  "subs %[left], #1\n"                \
  "bne 4b\n"

#define TN_MVE_UNIT_ANY(free_vector)    \
  "vadd.i32 q0, q0, r8\n"               \
  "vshl.s32 q0, %[left]\n"              \
  "vqrdmulh.s32 q0, q0, r9\n"           \
  "vmov " free_vector ", q0\n"          \
  "vshl.s32 " free_vector ", r12\n"     \
  "vqadd.s32 q0, q0, " free_vector "\n" \
  "vrshl.s32 q0, r10\n"                 \
  "vqadd.s32 q0, q0, r11\n"             \
  TN_MVE_UNIT_END                       \
  "ldr r2, [%[k], #40]\n"               \
  "subs r2, #1\n"                       \
  "str r2, [%[k], #40]\n"               \
  "bne 4b\n"

#define TN_MVE_CHANNELS(constants, text)                                                                            \
  do {                                                                                                              \
    int8_t *out;                                                                                                    \
    int32_t left;                                                                                                   \
    __asm__ volatile("ldr r11, [%[k], #20]\n"                                                                       \
                     "3:\n" text "add %[w], %[w], #" constants " + 12\n"                                            \
                     "ldr r0, [%[k], #28]\n"                                                                        \
                     "cmp %[w], r0\n"                                                                               \
                     "bne 3b\n"                                                                                     \
                     : [w] "+r"(record), [out] "=&l"(out), [left] "=&r"(left)                                       \
                     : [k] "r"(s)                                                                                   \
                     : "r0", "r2", "r4", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "q0", "q1", "q2", "q3", "q4", \
                       "q5", "q6", "q7", "cc", "memory");                                                           \
  } while (0)

/* For loads that advance the addresses by `bytes` before the first of them. */
static inline void tn_mve_step_back(tn_mve_strip *s, int32_t bytes) {
  for (int i = 0; i < 4; ++i) s->words[i] -= (uint32_t)bytes;
}

#ifdef __cplusplus
}
#endif

#endif
