/* Fully connected layers, int8. */
#ifndef TN_FULLY_CONNECTED_H
#define TN_FULLY_CONNECTED_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Parameters of one fully connected layer, applied to `rows` input vectors.
 *
 *   weight      int8  [out_c][in_c]   symmetric, zero point 0
 *   bias        int32 [out_c]   scale = in_scale * weight_scale[ch]; holds - in_zp * sum(weight[ch]) already
 *   multiplier  int32 [per_channel ? out_c : 1]   in_scale * weight_scale[ch] / out_scale, see tn_math.h
 *   shift       int8  [per_channel ? out_c : 1]
 *
 * The output is clamped to [act_min, act_max]. */
typedef struct {
  const int8_t *weight;
  const int32_t *bias;
  const int32_t *multiplier;
  const int8_t *shift;
  uint16_t rows, in_c, out_c;
  uint8_t per_channel; /* 0 or 1 */
  int8_t out_zp;
  int8_t act_min, act_max;
} tn_fully_connected_params;

/*   in   int8 [rows][in_c]
 *   out  int8 [rows][out_c], apart from in */
void tn_fully_connected_s8(const tn_fully_connected_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
