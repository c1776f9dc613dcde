/* Sums and products for cores with the DSP extension. */
#ifndef TN_BINARY_DSP_H
#define TN_BINARY_DSP_H

#include "tn_binary.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As tn_add_s8, for sign_b = 1, one of the input factors exactly 1/2 (multiplier 2^30, shift 0: the larger scale's),
 * the other's shift in [-22, 0], shift_out in [-22, -1]. */
void tn_add_dsp_s8(const tn_add_params *p, const int8_t *a, const int8_t *b, int8_t *out);

/* The operand with the larger scale, `wide`, has the factor 1/2 exactly: (q << 20) / 2 needs no rounding. The other is
 * scaled and rounded as tn_dsp.h says. The assembly knows this order. */
typedef struct {
  int32_t zero;       /* of the other, << 21 */
  int32_t multiplier; /* of the other */
  int32_t rounding;
  int32_t shift;
  int32_t zero_wide; /* << 20 */
  int32_t multiplier_out;
  int32_t rounding_out;
  int32_t shift_out;
} tn_dsp_add_factors;

/* 4 * n sums, n at least 1, for shift = 0 and for shift > 0 (with the DSP extension only). */
void tn_dsp_add(const int8_t *wide, const int8_t *other, int8_t *out, uint32_t n, const tn_dsp_add_factors *f);
void tn_dsp_add_shifted(const int8_t *wide, const int8_t *other, int8_t *out, uint32_t n, const tn_dsp_add_factors *f);

/* As tn_mul_channels_s8, for channels by the four and a shift in [-22, -1].
 *
 *   scratch  2 * channels bytes, 4-byte aligned */
void tn_mul_channels_dsp_s8(const tn_mul_channels_params *p, const int8_t *a, const int8_t *b, int8_t *out,
                            void *scratch);

#ifdef __cplusplus
}
#endif

#endif
