/* PRELU: x where x >= 0, alpha * x elsewhere. int8. */
#ifndef TN_PRELU_H
#define TN_PRELU_H

#include "tn_binary.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  tn_broadcast shape;          /* a: the input, b: alpha */
  int32_t multiplier;          /* in_scale / out_scale, see tn_math.h */
  int32_t multiplier_negative; /* in_scale * alpha_scale / out_scale */
  int8_t shift, shift_negative;
  int8_t zp_in, zp_alpha, zp_out;
} tn_prelu_params;

/* out may start at or before an operand that is not repeated. */
void tn_prelu_s8(const tn_prelu_params *p, const int8_t *in, const int8_t *alpha, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
