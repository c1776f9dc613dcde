/* Average pooling on Helium. */
#ifndef TN_POOL_MVE_H
#define TN_POOL_MVE_H

#include "tn_pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As tn_avg_pool_s8, for windows of at most 4,096 elements (k_h * k_w). */
void tn_avg_pool_mve_s8(const tn_pool_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
