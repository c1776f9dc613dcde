#include "tn_depthwise.h"

#include "tn_math.h"

/* Weighted sum of the window at (y0, x0) for output channel ch; x points at its input channel of pixel (0, 0). */
static int32_t window(const tn_depthwise_params *p, const int8_t *x, int32_t y0, int32_t x0, int32_t ch) {
  const int32_t out_c = (int32_t)p->in_c * p->multiplicity;
  const int8_t *w = p->weight + ch;
  int32_t acc = p->bias[ch];
  for (int32_t ky = 0; ky < p->k_h; ++ky) {
    const int32_t y = y0 + ky * p->dilation_h;
    const int8_t *row = x + y * p->in_w * p->in_c;
    for (int32_t kx = 0; kx < p->k_w; ++kx, w += out_c) {
      const int32_t col = x0 + kx * p->dilation_w;
      const int inside = y >= 0 && y < p->in_h && col >= 0 && col < p->in_w;
      acc += *w * (inside ? row[col * p->in_c] : p->in_zp);
    }
  }
  return acc;
}

static void output_pixel(const tn_depthwise_params *p, const int8_t *in, int32_t y0, int32_t x0, int8_t *out) {
  int32_t ch = 0;
  for (int32_t c = 0; c < p->in_c; ++c) {
    for (int32_t m = 0; m < p->multiplicity; ++m, ++ch) {
      const int32_t v = tn_requantise(window(p, in + c, y0, x0, ch), p->multiplier[ch], p->shift[ch]) + p->out_zp;
      out[ch] = (int8_t)tn_clamp(v, p->act_min, p->act_max);
    }
  }
}

void tn_depthwise_s8(const tn_depthwise_params *p, const int8_t *in, int8_t *out) {
  for (int32_t y = 0; y < p->out_h; ++y) {
    for (int32_t x = 0; x < p->out_w; ++x) {
      output_pixel(p, in, y * p->stride_h - p->pad_h, x * p->stride_w - p->pad_w, out);
      out += (int32_t)p->in_c * p->multiplicity;
    }
  }
}
