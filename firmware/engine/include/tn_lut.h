/* Functions of one int8 value, as a table: RELU, LOGISTIC, TANH, HARD_SWISH, QUANTIZE from int8, ... */
#ifndef TN_LUT_H
#define TN_LUT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const int8_t *table; /* [256]: table[q + 128] is the output for input q */
  uint32_t elements;
} tn_lut_params;

/*   in, out  int8 [elements]; out may start at or before in (in place) */
void tn_lut_s8(const tn_lut_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
