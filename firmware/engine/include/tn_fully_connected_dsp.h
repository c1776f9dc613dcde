/* Fully connected layers for cores with the DSP extension. */
#ifndef TN_FULLY_CONNECTED_DSP_H
#define TN_FULLY_CONNECTED_DSP_H

#include "tn_fully_connected.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As tn_fully_connected_s8, but
 *
 *   weight   in the order of tn_dsp_gemm (tn_dsp.h), out_c and in_c rounded up to 4 with zeros
 *   shift    in [-22, -1], or 0 if the activation cuts off at out_zp; no sum, doubled, leaves int32
 *   scratch  4-byte aligned; 544 bytes and 2 per input, inputs rounded up to 4 */
void tn_fully_connected_dsp_s8(const tn_fully_connected_params *p, const int8_t *in, int8_t *out, void *scratch);

#ifdef __cplusplus
}
#endif

#endif
