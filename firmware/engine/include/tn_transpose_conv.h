/* Transposed convolution, int8, HWC layout, batch 1. */
#ifndef TN_TRANSPOSE_CONV_H
#define TN_TRANSPOSE_CONV_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*   weight      int8  [out_c][k_h][k_w][in_c]   symmetric, zero point 0
 *   bias        int32 [out_c]   scale = in_scale * weight_scale[ch]
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
  uint8_t pad_h, pad_w; /* output pixel (y, x) takes input pixel (i, j) by tap (y + pad_h - i * stride_h, ...) */
  int8_t in_zp, out_zp;
  int8_t act_min, act_max;
} tn_transpose_conv_params;

/*   in   int8 [in_h][in_w][in_c]
 *   out  int8 [out_h][out_w][out_c], apart from in */
void tn_transpose_conv_s8(const tn_transpose_conv_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
