#include "tn_depthwise.h"

#include "tn_math.h"

/* Weighted sum of a window inside the input; x is its top left element of one input channel, w its first weight. */
static int32_t inner_window(const tn_depthwise_params *p, const int8_t *x, const int8_t *w, int32_t acc) {
  const int32_t step = p->dilation_w * p->in_c, row = p->dilation_h * p->in_w * p->in_c;
  const int32_t k_w = p->k_w, out_c = (int32_t)p->in_c * p->multiplicity;
  for (int32_t ky = p->k_h; ky > 0; --ky, x += row) {
    const int8_t *tap = x;
    for (int32_t kx = k_w; kx > 0; --kx, w += out_c, tap += step) acc += *w * *tap;
  }
  return acc;
}

/* Weighted sum of the window at (y0, x0), part of which is padding, over input channel c. */
static int32_t border_window(const tn_depthwise_params *p, const int8_t *in, int32_t y0, int32_t x0, int32_t c,
                             const int8_t *w, int32_t acc) {
  const int32_t out_c = (int32_t)p->in_c * p->multiplicity;
  const int32_t step = p->dilation_w * p->in_c;
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
  const int inner = y0 >= 0 && y0 + (p->k_h - 1) * p->dilation_h < p->in_h && x0 >= 0 &&
                    x0 + (p->k_w - 1) * p->dilation_w < p->in_w;
  int32_t ch = 0;
  for (int32_t c = 0; c < p->in_c; ++c) {
    for (int32_t m = 0; m < p->multiplicity; ++m, ++ch) {
      const int8_t *w = p->weight + ch;
      const int32_t acc = inner ? inner_window(p, in + (y0 * p->in_w + x0) * p->in_c + c, w, p->bias[ch])
                                : border_window(p, in, y0, x0, c, w, p->bias[ch]);
      out[ch] = tn_output(o, acc, ch);
    }
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
