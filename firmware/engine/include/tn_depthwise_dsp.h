/* Depthwise convolutions for cores with the DSP extension: as tn_depthwise_s8, with dilation 1, multiplicity 1, equal
 * strides and at least 4 channels, for one kernel side and stride each. The shift of a channel is at least -22, at
 * most -1 (0 if the activation cuts off at out_zp), and no sum, doubled, leaves int32.
 *
 *   scratch  4-byte aligned; tinynas/plan/ops/depthwise_dsp.py computes its size
 *
 * Output rows are written a strip at a time (strip_lines in tn_dsp_depthwise.c), four channels of it after the other:
 * out may overlap in where no strip is written over input rows that it or a later one reads. */
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
