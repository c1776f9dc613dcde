/* Softmax over the last axis, int8. */
#ifndef TN_SOFTMAX_H
#define TN_SOFTMAX_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* multiplier and shift scale a difference of inputs to Q5.26 of beta * in_scale; differences below diff_min count
 * as exp() = 0. The output has scale 1/256 and zero point -128. */
typedef struct {
  uint16_t rows, depth;
  int32_t multiplier;
  int32_t diff_min;
  uint8_t shift; /* to the left */
} tn_softmax_params;

/*   in, out  int8 [rows][depth]; out may start at or before in (in place) */
void tn_softmax_s8(const tn_softmax_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
