/* Constant padding of up to four axes, int8. */
#ifndef TN_PAD_H
#define TN_PAD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint16_t in[4], before[4], after[4];
  int8_t value;
} tn_pad_params;

/*   in   int8 [in[0]][in[1]][in[2]][in[3]]
 *   out  int8, each axis longer by before + after
 *
 * Rows of the last two axes are written in order, each after the input before it has been read. */
void tn_pad_s8(const tn_pad_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
