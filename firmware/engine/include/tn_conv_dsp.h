/* Convolutions for cores with the DSP extension. */
#ifndef TN_CONV_DSP_H
#define TN_CONV_DSP_H

#include "tn_conv.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As tn_conv_s8, for dilation 1, but
 *
 *   weight   in the order of tn_dsp_gemm (tn_dsp.h), out_c and taps (k_h * k_w * in_c) rounded up to 4 with zeros
 *   shift    in [-22, -1], or 0 if the activation cuts off at out_zp; no sum, doubled, leaves int32
 *   scratch  4-byte aligned; 18 bytes per output channel and 6 per tap, both rounded up to 4, and 8
 *
 * Pixels are written two by two, after both windows have been read. */
void tn_conv_dsp_s8(const tn_conv_params *p, const int8_t *in, int8_t *out, void *scratch);

/* The same: a depthwise convolution of a single input channel is a convolution. */
void tn_depthwise_as_conv_dsp_s8(const tn_conv_params *p, const int8_t *in, int8_t *out, void *scratch);

/* As tn_conv_dsp_s8, for k_h = k_w = 1, stride 1, no padding, in_c and out_c multiples of 4.
 *
 *   scratch  4-byte aligned; 16 bytes per output channel and 4 per input channel */
void tn_conv1x1_dsp_s8(const tn_conv_params *p, const int8_t *in, int8_t *out, void *scratch);

#ifdef __cplusplus
}
#endif

#endif
