#include "tn_conv.h"

#include "tn_dot.h"
#include "tn_math.h"

/* Adds the products of `channels` output channels (1 or 4) over n consecutive taps, or, for x NULL, of padding. */
static void accumulate(const tn_conv_params *p, const int8_t *x, const int8_t *w, int32_t n, int32_t channels,
                       int32_t acc[4]) {
  const int32_t filter = (int32_t)p->k_h * p->k_w * p->in_c;
  if (x == 0) {
    for (int32_t i = 0; i < channels; ++i) acc[i] += p->in_zp * tn_sum(w + i * filter, n);
  } else if (channels == 4) {
    tn_dot4(x, w, filter, n, acc);
  } else {
    acc[0] = tn_dot(x, w, n, acc[0]);
  }
}

/* One row of the window whose left edge is at column x0 of `row` (NULL: the whole row is padding). */
static void window_row(const tn_conv_params *p, const int8_t *row, int32_t x0, const int8_t *w, int32_t channels,
                       int32_t acc[4]) {
  const int32_t c = p->in_c;
  if (row == 0) {
    accumulate(p, 0, w, p->k_w * c, channels, acc);
  } else if (p->dilation_w == 1) {
    const int32_t from = tn_clamp(-x0, 0, p->k_w);
    const int32_t to = tn_clamp(p->in_w - x0, from, p->k_w);
    if (from > 0) accumulate(p, 0, w, from * c, channels, acc);
    if (to > from) accumulate(p, row + (x0 + from) * c, w + from * c, (to - from) * c, channels, acc);
    if (to < p->k_w) accumulate(p, 0, w + to * c, (p->k_w - to) * c, channels, acc);
  } else {
    for (int32_t k = 0; k < p->k_w; ++k) {
      const int32_t x = x0 + k * p->dilation_w;
      accumulate(p, x >= 0 && x < p->in_w ? row + x * c : 0, w + k * c, c, channels, acc);
    }
  }
}

static void output_pixel(const tn_conv_params *p, const int8_t *in, int32_t y0, int32_t x0, int8_t *out) {
  const int32_t filter = (int32_t)p->k_h * p->k_w * p->in_c;
  int32_t ch = 0;
  while (ch < p->out_c) {
    const int32_t channels = p->out_c - ch >= 4 ? 4 : 1;
    int32_t acc[4] = {0, 0, 0, 0};
    const int8_t *w = p->weight + ch * filter;
    for (int32_t i = 0; i < channels; ++i) acc[i] = p->bias[ch + i];
    for (int32_t k = 0; k < p->k_h; ++k) {
      const int32_t y = y0 + k * p->dilation_h;
      const int8_t *row = y >= 0 && y < p->in_h ? in + y * p->in_w * p->in_c : 0;
      window_row(p, row, x0, w + k * p->k_w * p->in_c, channels, acc);
    }
    for (int32_t i = 0; i < channels; ++i, ++ch) {
      const int32_t v = tn_requantise(acc[i], p->multiplier[ch], p->shift[ch]) + p->out_zp;
      out[ch] = (int8_t)tn_clamp(v, p->act_min, p->act_max);
    }
  }
}

void tn_conv_s8(const tn_conv_params *p, const int8_t *in, int8_t *out) {
  for (int32_t y = 0; y < p->out_h; ++y) {
    for (int32_t x = 0; x < p->out_w; ++x) {
      output_pixel(p, in, y * p->stride_h - p->pad_h, x * p->stride_w - p->pad_w, out);
      out += p->out_c;
    }
  }
}
