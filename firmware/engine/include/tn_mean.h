/* Mean over one axis or several neighbouring axes, int8. */
#ifndef TN_MEAN_H
#define TN_MEAN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The input is [outer][count][inner]; `count` elements are averaged. multiplier and shift hold
 * in_scale / out_scale / count, see tn_math.h. */
typedef struct {
  uint32_t outer, count, inner;
  int32_t multiplier;
  int8_t shift;
  int8_t in_zp, out_zp;
} tn_mean_params;

/*   in   int8 [outer][count][inner]
 *   out  int8 [outer][inner]; may start at or before in */
void tn_mean_s8(const tn_mean_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
