/* Pooling for cores with the DSP extension. */
#ifndef TN_POOL_DSP_H
#define TN_POOL_DSP_H

#include "tn_pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As tn_avg_pool_s8, for a window that is the whole input, and channels a multiple of 4.
 * out may start at or before in (in place). */
void tn_avg_pool_all_dsp_s8(const tn_pool_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
