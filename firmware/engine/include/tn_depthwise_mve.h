/* Depthwise convolutions on Helium, int8, HWC layout, batch 1, multiplicity 1, dilation 1.
 *
 * VMLADAV sums sixteen products in one instruction if a channel's window is contiguous. So rows are first interleaved
 * by the four: a strip holds, per column and channel, a word with the bytes of four rows (VST4 does that for sixteen
 * channels at a time), and a window is a few words, loaded by address. Padding is filled in there, so that borders
 * cost no more than the inside. Words are 4-byte aligned, which a vector load by address takes at one word per cycle.
 *
 * Weights and constants are one stream, per channel:
 *
 *   int8   [vectors][4][4]   four words: of four columns if the window has at most four rows, else of two columns,
 *                            upper and lower four rows of each; symmetric, zeros outside the window
 *   int32  bias              holds - in_zp * sum(weight) already
 *   int32  multiplier, shift see tn_math.h */
#ifndef TN_DEPTHWISE_MVE_H
#define TN_DEPTHWISE_MVE_H

#include "tn_mve.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const int8_t *stream; /* 4-byte aligned */
  uint16_t in_h, in_w, channels;
  uint16_t out_h, out_w;
  uint8_t stride_h, stride_w;
  uint8_t pad_h, pad_w; /* rows above, columns to the left; what is missing below and to the right is padded too */
  int8_t in_zp, out_zp;
  int8_t act_min, act_max;
  uint8_t rounding; /* TN_MVE_RELU, ... */
  uint8_t passes;   /* times the one or two output rows that are computed together, 1 to 3 */
} tn_depthwise_mve_params;

/* Padding reads as in_zp, i.e. real 0.
 *
 *   in       int8 [in_h][in_w][channels]
 *   out      int8 [out_h][out_w][channels]
 *   scratch  4-byte aligned; tinynas/plan/ops/depthwise_mve.py computes its size
 *
 * Output rows are written in order, one or two times `passes` together, sixteen channels after the other; of these
 * channels all input that the rows need has been read before.
 *
 * Windows up to 3x3, stride 1: one vector, two rows at a time. */
void tn_depthwise3x3_mve_s8(const tn_depthwise_mve_params *p, const int8_t *in, int8_t *out, void *scratch);

/* Up to 4x4, stride_w 1 or 2: one vector, one row. */
void tn_depthwise4x4_mve_s8(const tn_depthwise_mve_params *p, const int8_t *in, int8_t *out, void *scratch);

/* Up to six columns, rows and stride up to 8 together, equal strides of 1 or 2: three vectors, two rows. */
void tn_depthwise6x6_mve_s8(const tn_depthwise_mve_params *p, const int8_t *in, int8_t *out, void *scratch);

/* Up to 8x8, stride_w 1 or 2: four vectors, one row. */
void tn_depthwise8x8_mve_s8(const tn_depthwise_mve_params *p, const int8_t *in, int8_t *out, void *scratch);

#ifdef __cplusplus
}
#endif

#endif
