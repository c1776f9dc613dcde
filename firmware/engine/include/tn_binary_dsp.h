/* Sums for cores with the DSP extension. */
#ifndef TN_BINARY_DSP_H
#define TN_BINARY_DSP_H

#include "tn_binary.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As tn_add_s8, for sign_b = 1, one of the input factors exactly 1/2 (multiplier 2^30, shift 0: the larger scale's),
 * the other's shift in [-22, 0], shift_out in [-22, -1]. */
void tn_add_dsp_s8(const tn_add_params *p, const int8_t *a, const int8_t *b, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
