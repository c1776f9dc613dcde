/* Convolutions on Helium, int8, HWC layout, batch 1. */
#ifndef TN_CONV_MVE_H
#define TN_CONV_MVE_H

#include "tn_mve_gemm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A window's taps, k_h * k_w * in_c in this order, are a row of the matrix product. */
typedef struct {
  const int8_t *stream; /* of the matrix, see tn_mve_gemm.h */
  tn_mve_matrix matrix;
  uint16_t in_h, in_w, in_c;
  uint16_t out_h, out_w;
  uint8_t k_h, k_w;
  uint8_t stride_h, stride_w;
  uint8_t dilation_h, dilation_w;
  uint8_t pad_h, pad_w; /* rows above, columns to the left; what is missing below and to the right is padded too */
  uint8_t batch;        /* pixels whose windows are gathered before their outputs are computed */
  int8_t in_zp;
} tn_conv_mve_params;

/* Any kernel, stride, dilation and padding. Padding reads as in_zp, i.e. real 0.
 *
 *   in       int8 [in_h][in_w][in_c]
 *   out      int8 [out_h][out_w][matrix.filters]
 *   scratch  batch * (matrix.n rounded up to 16) + 16 bytes
 *
 * Pixels are written in order, `batch` at a time, once all their windows have been read. */
void tn_conv_mve_s8(const tn_conv_mve_params *p, const int8_t *in, int8_t *out, void *scratch);

/* The same: a depthwise convolution of a single input channel is a convolution. */
void tn_depthwise_as_conv_mve_s8(const tn_conv_mve_params *p, const int8_t *in, int8_t *out, void *scratch);

typedef struct {
  const int8_t *stream;
  tn_mve_matrix matrix; /* n: input channels */
  uint32_t pixels;
} tn_conv1x1_mve_params;

/* 1x1, stride 1, no padding.
 *
 *   in   int8 [pixels][matrix.n]
 *   out  int8 [pixels][matrix.filters]
 *
 * Pixels are written in order, TN_MVE_FEW_ROWS at a time if n <= 16, else 3; these are read while they are written. */
void tn_conv1x1_mve_s8(const tn_conv1x1_mve_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
