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
static void border_row(const tn_conv_params *p, const int8_t *row, int32_t x0, const int8_t *w, int32_t channels,
                       int32_t acc[4]) {
  const int32_t c = p->in_c;
  if (row == 0) {
    accumulate(p, 0, w, p->k_w * c, channels, acc);
  } else if (p->dilation_w == 1) {
    const int32_t from = tn_clamp(-x0, 0, p->k_w), to = tn_clamp(p->in_w - x0, from, p->k_w);
    accumulate(p, 0, w, from * c, channels, acc);
    accumulate(p, row + (x0 + from) * c, w + from * c, (to - from) * c, channels, acc);
    accumulate(p, 0, w + to * c, (p->k_w - to) * c, channels, acc);
  } else {
    for (int32_t k = 0; k < p->k_w; ++k) {
      const int32_t x = x0 + k * p->dilation_w;
      accumulate(p, x >= 0 && x < p->in_w ? row + x * c : 0, w + k * c, c, channels, acc);
    }
  }
}

/* The window at (y0, x0) has padding, or is dilated. */
static void border_window(const tn_conv_params *p, const int8_t *in, int32_t y0, int32_t x0, const int8_t *w,
                          int32_t channels, int32_t acc[4]) {
  for (int32_t k = 0; k < p->k_h; ++k) {
    const int32_t y = y0 + k * p->dilation_h;
    const int8_t *row = y >= 0 && y < p->in_h ? in + y * p->in_w * p->in_c : 0;
    border_row(p, row, x0, w + k * p->k_w * p->in_c, channels, acc);
  }
}

/* The window is inside the input, x its top left corner; its rows are runs of consecutive bytes. */
static void inner_window(const tn_conv_params *p, const int8_t *x, const int8_t *w, int32_t channels, int32_t acc[4]) {
  const int32_t run = p->k_w * p->in_c, row = p->in_w * p->in_c, filter = p->k_h * run;
  for (int32_t k = 0; k < p->k_h; ++k, x += row, w += run) {
    if (channels == 4) {
      tn_dot4(x, w, filter, run, acc);
    } else {
      acc[0] = tn_dot(x, w, run, acc[0]);
    }
  }
}

static void output_pixel(const tn_conv_params *p, const tn_output_stage *o, const int8_t *in, int32_t y0, int32_t x0,
                         int8_t *out) {
  const int32_t filter = (int32_t)p->k_h * p->k_w * p->in_c;
  const int inner = p->dilation_h == 1 && p->dilation_w == 1 && y0 >= 0 && y0 + p->k_h <= p->in_h && x0 >= 0 &&
                    x0 + p->k_w <= p->in_w;
  int32_t ch = 0;
  while (ch < p->out_c) {
    const int32_t channels = p->out_c - ch >= 4 ? 4 : 1;
    const int8_t *w = p->weight + ch * filter;
    int32_t acc[4] = {0, 0, 0, 0};
    for (int32_t i = 0; i < channels; ++i) acc[i] = p->bias[ch + i];
    if (inner) {
      inner_window(p, in + (y0 * p->in_w + x0) * p->in_c, w, channels, acc);
    } else {
      border_window(p, in, y0, x0, w, channels, acc);
    }
    for (int32_t i = 0; i < channels; ++i, ++ch) out[ch] = tn_output(o, acc[i], ch);
  }
}

void tn_conv_s8(const tn_conv_params *p, const int8_t *in, int8_t *out) {
  const tn_output_stage o = {p->multiplier, p->shift, p->out_zp, p->act_min, p->act_max};
  for (int32_t y = 0; y < p->out_h; ++y) {
    for (int32_t x = 0; x < p->out_w; ++x) {
      output_pixel(p, &o, in, y * p->stride_h - p->pad_h, x * p->stride_w - p->pad_w, out);
      out += p->out_c;
    }
  }
}
