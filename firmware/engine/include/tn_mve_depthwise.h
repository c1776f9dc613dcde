/* What the depthwise convolutions of tn_depthwise_mve.h share. */
#ifndef TN_MVE_DEPTHWISE_H
#define TN_MVE_DEPTHWISE_H

#include "tn_depthwise_mve.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TN_MVE_COLUMN = 64 /* bytes of a strip's column: sixteen channels, four rows */ };

/* Inner loops of one channel: what they load by address, first. */
typedef struct {
  int32_t words[4]; /* where a vector's words are, from its first */
  int32_t units;    /* of four outputs each */
  int32_t out_zp;
  int32_t stride_w;
  int32_t is_relu; /* rounding is TN_MVE_RELU */
} tn_mve_strip;

/* Outputs of one channel from its record in the stream. A unit's four are 64 bytes from the next one's. */
typedef void (*tn_mve_channel)(const tn_mve_strip *s, const int8_t *record, const int8_t *strip, int8_t *out);

/* A kernel's way through the image. */
typedef struct {
  tn_mve_channel channel;
  uint8_t strips;  /* of four input rows each, 1 or 2 */
  uint8_t vectors; /* of a window */
  uint8_t rows;    /* output rows at a time, 1 or 2; a unit has 4 / rows columns */
} tn_mve_windows;

void tn_mve_depthwise(const tn_mve_windows *w, const tn_depthwise_mve_params *p, const int8_t *in, int8_t *out,
                      void *scratch);

/* Parts of the inner loops. r8: bias, r9: multiplier, r10: shift to the right, r11: zero point; if there may be a
 * shift to the left or negative results count: r12: -31 to find the sign, or 32 to find 0 if there is no shift to the
 * right, and the register of `strip` has the shift to the left. q7: addresses, which a load advances first. */
#define TN_MVE_CHANNEL_RELU(constants)    \
  "vldrw.u32 q7, [%[k]]\n"                \
  "vadd.i32 q7, q7, %[strip]\n"           \
  "ldrd r8, r9, [%[w], #" constants "]\n" \
  "ldr r10, [%[w], #" constants " + 8]\n" \
  "ldr r11, [%[k], #20]\n"                \
  "ldr lr, [%[k], #16]\n"                 \
  "dls lr, lr\n"

#define TN_MVE_CHANNEL_ANY(constants)         \
  TN_MVE_CHANNEL_RELU(constants)              \
  "bic %[strip], r10, r10, asr #31\n"         \
  "and r10, r10, r10, asr #31\n"              \
  "cmp r10, #0\n"                             \
  "ite lt\n"                                  \
  "mvnlt r12, #30\n"                          \
  "movge r12, #32\n"

#define TN_MVE_UNIT_RELU(free_vector) \
  "vadd.i32 q0, q0, r8\n"             \
  "vqrdmulh.s32 q0, q0, r9\n"         \
  "vrshl.s32 q0, r10\n"

#define TN_MVE_UNIT_ANY(free_vector)  \
  "vadd.i32 q0, q0, r8\n"             \
  "vshl.s32 q0, %[strip]\n"           \
  "vqrdmulh.s32 q0, q0, r9\n"         \
  "vmov " free_vector ", q0\n"        \
  "vshl.s32 " free_vector ", r12\n"   \
  "vqadd.s32 q0, q0, " free_vector "\n" \
  "vrshl.s32 q0, r10\n"

/* Saturated to int8 by a shift to the top byte and back. */
#define TN_MVE_UNIT_END          \
  "vadd.i32 q0, q0, r11\n"       \
  "vqshl.s32 q0, q0, #24\n"      \
  "vshr.s32 q0, q0, #24\n"       \
  "vstrb.32 q0, [%[out]], #64\n" \
  "le lr, 1b\n"

#define TN_MVE_CHANNEL_ASM(text)                                                                                    \
  __asm__ volatile(text                                                                                             \
                   : [strip] "+r"(at), [out] "+l"(out)                                                              \
                   : [w] "r"(record), [k] "r"(s)                                                                    \
                   : "r0", "r2", "r4", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "q0", "q1", "q2", "q3", "q4",   \
                     "q5", "q6", "q7", "cc", "memory")

#ifdef __cplusplus
}
#endif

#endif
