/* Convolutions, int8, HWC layout, batch 1. */
#ifndef TN_CONV_H
#define TN_CONV_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Parameters of one convolution.
 *
 *   weight      int8  [out_c][k_h][k_w][in_c]   symmetric, zero point 0
 *   bias        int32 [out_c]   scale = in_scale * weight_scale[ch]; holds - in_zp * sum(weight[ch]) already
 *   multiplier  int32 [out_c]   in_scale * weight_scale[ch] / out_scale, see tn_math.h
 *   shift       int8  [out_c]
 *
 * Zero points are stored as they are, not negated. The output is clamped to [act_min, act_max]. */
typedef struct {
  const int8_t *weight;
  const int32_t *bias;
  const int32_t *multiplier;
  const int8_t *shift;
  uint16_t in_h, in_w, in_c;
  uint16_t out_h, out_w, out_c;
  uint8_t k_h, k_w;
  uint8_t stride_h, stride_w;
  uint8_t dilation_h, dilation_w;
  uint8_t pad_h, pad_w; /* rows above, columns to the left; what is missing below and to the right is padded too */
  int8_t in_zp, out_zp;
  int8_t act_min, act_max;
} tn_conv_params;

/* Any kernel, stride, dilation and padding. Padding reads as in_zp, i.e. real 0.
 *
 *   in   int8 [in_h][in_w][in_c]
 *   out  int8 [out_h][out_w][out_c]
 *
 * Pixels are written in order; the window of a pixel is read before and while that pixel is written, so out may
 * overlap in where no pixel is written over input that it or a later pixel reads. */
void tn_conv_s8(const tn_conv_params *p, const int8_t *in, int8_t *out);

/* As tn_conv_s8, for k_h = k_w = 1, stride 1, no padding. */
void tn_conv1x1_s8(const tn_conv_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
