#include "tn_depthwise.h"

#include "tn_math.h"

/* Weighted sum of the window at (y0, x0) for output channel ch, which reads input channel c. */
static int32_t window(const tn_depthwise_params *p, const int8_t *in, int32_t y0, int32_t x0, int32_t c, int32_t ch) {
  const int32_t out_c = (int32_t)p->in_c * p->multiplicity;
  const int32_t step = p->dilation_w * p->in_c;
  const int8_t *w = p->weight + ch;
  int32_t acc = p->bias[ch];
  for (int32_t ky = 0; ky < p->k_h; ++ky) {
    const int32_t y = y0 + ky * p->dilation_h;
    const int row_inside = y >= 0 && y < p->in_h;
    int32_t x = x0, at = (y * p->in_w + x0) * p->in_c + c;
    for (int32_t kx = 0; kx < p->k_w; ++kx, w += out_c, x += p->dilation_w, at += step) {
      acc += *w * (row_inside && x >= 0 && x < p->in_w ? in[at] : p->in_zp);
    }
  }
  return acc;
}

static void output_pixel(const tn_depthwise_params *p, const tn_output_stage *o, const int8_t *in, int32_t y0,
                         int32_t x0, int8_t *out) {
  int32_t ch = 0;
  for (int32_t c = 0; c < p->in_c; ++c) {
    for (int32_t m = 0; m < p->multiplicity; ++m, ++ch) out[ch] = tn_output(o, window(p, in, y0, x0, c, ch), ch);
  }
}

void tn_depthwise_s8(const tn_depthwise_params *p, const int8_t *in, int8_t *out) {
  const tn_output_stage o = {p->multiplier, p->shift, p->out_zp, p->act_min, p->act_max};
  for (int32_t y = 0; y < p->out_h; ++y) {
    for (int32_t x = 0; x < p->out_w; ++x) {
      output_pixel(p, &o, in, y * p->stride_h - p->pad_h, x * p->stride_w - p->pad_w, out);
      out += (int32_t)p->in_c * p->multiplicity;
    }
  }
}
