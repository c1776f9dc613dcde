/* Sums and products on Helium. */
#ifndef TN_BINARY_MVE_H
#define TN_BINARY_MVE_H

#include "tn_binary.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As tn_add_s8, without shifts to the left. The factor of the larger input scale is exactly 1/2 (multiplier 2^30,
 * shift 0), as TensorFlow Lite has it; which one it is does not matter. */
void tn_add_mve_s8(const tn_add_params *p, const int8_t *a, const int8_t *b, int8_t *out);

/* As tn_mul_channels_s8, for channels by the four and without a shift to the left. */
void tn_mul_channels_mve_s8(const tn_mul_channels_params *p, const int8_t *a, const int8_t *b, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
