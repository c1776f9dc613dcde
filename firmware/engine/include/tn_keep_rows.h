/* Moves the rows that the next band of a chain still needs to the start of their buffer. */
#ifndef TN_KEEP_ROWS_H
#define TN_KEEP_ROWS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint32_t bytes;
} tn_keep_rows_params;

/*   in   int8 [bytes], behind out; they may overlap
 *   out  int8 [bytes] */
void tn_keep_rows_s8(const tn_keep_rows_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
