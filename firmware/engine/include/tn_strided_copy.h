/* Copies elements at regular distances: TRANSPOSE, STRIDED_SLICE. int8, up to five axes. */
#ifndef TN_STRIDED_COPY_H
#define TN_STRIDED_COPY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint16_t dims[5];  /* of the output; leading axes that are missing have 1 */
  int32_t stride[5]; /* in the input, elements per step along each output axis */
  uint32_t start;    /* in the input, element that output [0][0][0][0][0] takes */
} tn_strided_copy_params;

/*   out  int8, apart from in */
void tn_strided_copy_s8(const tn_strided_copy_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
