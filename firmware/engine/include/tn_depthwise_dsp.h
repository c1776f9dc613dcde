/* Depthwise convolutions for cores with the DSP extension: as tn_depthwise_s8, with dilation 1, multiplicity 1, equal
 * strides and in_c a multiple of 4, for one kernel side and stride each. The shift of a channel is at least -22, at
 * most -1 (0 if the activation cuts off at out_zp), and no sum, doubled, leaves int32.
 *
 *   scratch  4-byte aligned; tinynas/plan/ops/depthwise_dsp.py computes its size
 *
 * Output rows are written in order, after all input rows they and earlier ones need have been read (3x3, stride 1: two
 * rows together), so out may overlap in where no row is written over input that a later row is the first to read. */
#ifndef TN_DEPTHWISE_DSP_H
#define TN_DEPTHWISE_DSP_H

#include "tn_depthwise.h"

#ifdef __cplusplus
extern "C" {
#endif

void tn_depthwise3x3_dsp_s8(const tn_depthwise_params *p, const int8_t *in, int8_t *out, void *scratch);
void tn_depthwise3x3_stride2_dsp_s8(const tn_depthwise_params *p, const int8_t *in, int8_t *out, void *scratch);
void tn_depthwise5x5_dsp_s8(const tn_depthwise_params *p, const int8_t *in, int8_t *out, void *scratch);
void tn_depthwise5x5_stride2_dsp_s8(const tn_depthwise_params *p, const int8_t *in, int8_t *out, void *scratch);
void tn_depthwise7x7_dsp_s8(const tn_depthwise_params *p, const int8_t *in, int8_t *out, void *scratch);
void tn_depthwise7x7_stride2_dsp_s8(const tn_depthwise_params *p, const int8_t *in, int8_t *out, void *scratch);

#ifdef __cplusplus
}
#endif

#endif
