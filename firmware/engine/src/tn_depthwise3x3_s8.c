#include "tn_depthwise.h"

#include "tn_math.h"

static int8_t requantised(const tn_depthwise_params *p, int32_t acc, int32_t ch) {
  return (int8_t)tn_clamp(tn_requantise(acc, p->multiplier[ch], p->shift[ch]) + p->out_zp, p->act_min, p->act_max);
}

/* The window lies inside the input; x points at its top left pixel. */
static void inner_pixel(const tn_depthwise_params *p, const int8_t *x, int8_t *out) {
  const int32_t c = p->in_c;
  const int32_t row = p->in_w * c;
  for (int32_t ch = 0; ch < c; ++ch) {
    const int8_t *a = x + ch, *w = p->weight + ch;
    int32_t acc = p->bias[ch];
    for (int32_t k = 0; k < 3; ++k, a += row, w += 3 * c) acc += a[0] * w[0] + a[c] * w[c] + a[2 * c] * w[2 * c];
    out[ch] = requantised(p, acc, ch);
  }
}

/* Part of the window at (y0, x0) is padding. */
static void border_pixel(const tn_depthwise_params *p, const int8_t *in, int32_t y0, int32_t x0, int8_t *out) {
  const int32_t c = p->in_c;
  for (int32_t ch = 0; ch < c; ++ch) {
    const int8_t *w = p->weight + ch;
    int32_t acc = p->bias[ch];
    for (int32_t y = y0; y < y0 + 3; ++y) {
      for (int32_t x = x0; x < x0 + 3; ++x, w += c) {
        const int inside = y >= 0 && y < p->in_h && x >= 0 && x < p->in_w;
        acc += *w * (inside ? in[(y * p->in_w + x) * c + ch] : p->in_zp);
      }
    }
    out[ch] = requantised(p, acc, ch);
  }
}

void tn_depthwise3x3_s8(const tn_depthwise_params *p, const int8_t *in, int8_t *out) {
  for (int32_t y = 0; y < p->out_h; ++y) {
    const int32_t y0 = y * p->stride_h - p->pad_h;
    for (int32_t x = 0; x < p->out_w; ++x, out += p->in_c) {
      const int32_t x0 = x * p->stride_w - p->pad_w;
      const int inner = y0 >= 0 && y0 + 3 <= p->in_h && x0 >= 0 && x0 + 3 <= p->in_w;
      if (inner) {
        inner_pixel(p, in + (y0 * p->in_w + x0) * p->in_c, out);
      } else {
        border_pixel(p, in, y0, x0, out);
      }
    }
  }
}
