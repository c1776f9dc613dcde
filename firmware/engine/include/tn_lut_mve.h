/* Functions of one int8 value on Helium. */
#ifndef TN_LUT_MVE_H
#define TN_LUT_MVE_H

#include "tn_lut.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As tn_lut_s8. */
void tn_lut_mve_s8(const tn_lut_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
