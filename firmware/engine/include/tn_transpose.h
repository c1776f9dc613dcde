/* Permutation of up to five axes, int8. */
#ifndef TN_TRANSPOSE_H
#define TN_TRANSPOSE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint16_t dims[5];   /* of the output; leading axes that are missing have 1 */
  uint32_t stride[5]; /* in the input, elements per step along each output axis */
} tn_transpose_params;

/*   out  int8, apart from in */
void tn_transpose_s8(const tn_transpose_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
