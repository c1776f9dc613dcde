/* MAXIMUM and MINIMUM of two int8 tensors of one scale and zero point, with broadcasting. */
#ifndef TN_EXTREMUM_H
#define TN_EXTREMUM_H

#include "tn_binary.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  tn_broadcast shape;
  int8_t sign; /* 1: the larger, -1: the smaller */
} tn_extremum_params;

/* out may start at or before an operand that is not repeated. */
void tn_extremum_s8(const tn_extremum_params *p, const int8_t *a, const int8_t *b, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
