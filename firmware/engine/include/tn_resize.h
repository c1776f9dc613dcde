/* Bilinear resizing of an image, int8, HWC layout, batch 1. */
#ifndef TN_RESIZE_H
#define TN_RESIZE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where an output row (column) lies: `share` / 1024 of the way from input row `first` to input row `second`. */
typedef struct {
  int16_t first, second, share;
} tn_between;

typedef struct {
  const int16_t *row;    /* [out_h][3]: first, second, share of a tn_between */
  const int16_t *column; /* [out_w][3] */
  uint16_t in_w, channels;
  uint16_t out_h, out_w;
} tn_resize_bilinear_params;

/*   in   int8 [in_h][in_w][channels]
 *   out  int8 [out_h][out_w][channels], apart from in */
void tn_resize_bilinear_s8(const tn_resize_bilinear_params *p, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
