/* Picks elements along two axes: GATHER, RESIZE_NEAREST_NEIGHBOR. int8. */
#ifndef TN_GATHER_H
#define TN_GATHER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const uint16_t *row;    /* [out_rows]: input row that each output row is taken from */
  const uint16_t *column; /* [out_columns]: the same for columns */
  uint32_t outer;         /* maps, one after the other */
  uint32_t inner;         /* bytes per element */
  uint16_t in_rows, in_columns;
  uint16_t out_rows, out_columns;
} tn_gather_params;

/*   in   int8 [outer][in_rows][in_columns][inner]
 *   out  int8 [outer][out_rows][out_columns][inner], apart from in */
void tn_gather_s8(const tn_gather_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
