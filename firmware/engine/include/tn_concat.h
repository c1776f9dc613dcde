/* Concatenation along one axis, int8; all tensors have one scale and zero point. */
#ifndef TN_CONCAT_H
#define TN_CONCAT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const uint32_t *bytes; /* [inputs]: bytes of input i for one step along the axes before the joined one */
  uint32_t outer;        /* steps along those axes */
  uint16_t inputs;
} tn_concat_params;

/*   in   `inputs` pointers to int8 [outer][bytes[i]]
 *   out  int8 [outer][sum of bytes], apart from the inputs */
void tn_concat_s8(const tn_concat_params *p, const int8_t *const *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
