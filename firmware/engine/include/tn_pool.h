/* Average and maximum pooling, int8, HWC layout, batch 1. Input and output have one scale and zero point. */
#ifndef TN_POOL_H
#define TN_POOL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint16_t in_h, in_w, channels;
  uint16_t out_h, out_w;
  uint16_t k_h, k_w;
  uint8_t stride_h, stride_w;
  uint8_t pad_h, pad_w; /* rows above, columns to the left */
  int8_t act_min, act_max;
} tn_pool_params;

/* Mean of the part of the window inside the input, rounded to nearest, ties away from zero.
 *
 *   in   int8 [in_h][in_w][channels]
 *   out  int8 [out_h][out_w][channels]
 *
 * Pixels are written in order; the window of a pixel is read before and while that pixel is written, so out may
 * overlap in where no pixel is written over input that it or a later pixel reads. */
void tn_avg_pool_s8(const tn_pool_params *p, const int8_t *in, int8_t *out);

/* Maximum of the part of the window inside the input; arguments as tn_avg_pool_s8. */
void tn_max_pool_s8(const tn_pool_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
