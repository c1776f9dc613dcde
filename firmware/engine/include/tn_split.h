/* Splitting along one axis into equal parts, int8. */
#ifndef TN_SPLIT_H
#define TN_SPLIT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint32_t outer; /* steps along the axes before the split one */
  uint32_t bytes; /* of one part in one such step */
  uint16_t parts;
} tn_split_params;

/*   in   int8 [outer][parts][bytes]
 *   out  `parts` pointers to int8 [outer][bytes], apart from in */
void tn_split_s8(const tn_split_params *p, const int8_t *in, int8_t *const *out);

#ifdef __cplusplus
}
#endif

#endif
