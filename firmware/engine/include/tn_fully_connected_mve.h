/* Fully connected layers on Helium, int8. */
#ifndef TN_FULLY_CONNECTED_MVE_H
#define TN_FULLY_CONNECTED_MVE_H

#include "tn_mve_gemm.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const int8_t *stream; /* see tn_mve_gemm.h */
  tn_mve_matrix matrix; /* n: inputs, filters: outputs */
  uint32_t rows;
} tn_fully_connected_mve_params;

/*   in   int8 [rows][matrix.n]
 *   out  int8 [rows][matrix.filters], apart from in */
void tn_fully_connected_mve_s8(const tn_fully_connected_mve_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
