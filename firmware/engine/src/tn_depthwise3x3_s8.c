#include "tn_depthwise.h"

#include "tn_math.h"

/* The window lies inside the input; x points at its top left pixel. */
static void inner_pixel(const tn_depthwise_params *p, const tn_output_stage *o, const int8_t *x, int8_t *out) {
  const int32_t c = p->in_c, row = p->in_w * c;
  const int32_t *bias = p->bias;
  const int8_t *w = p->weight;
  for (int32_t ch = 0; ch < c; ++ch, ++x, ++w) {
    const int8_t *x1 = x + row, *x2 = x1 + row, *w1 = w + 3 * c, *w2 = w1 + 3 * c;
    int32_t acc = bias[ch];
    acc += x[0] * w[0] + x[c] * w[c] + x[2 * c] * w[2 * c];
    acc += x1[0] * w1[0] + x1[c] * w1[c] + x1[2 * c] * w1[2 * c];
    acc += x2[0] * w2[0] + x2[c] * w2[c] + x2[2 * c] * w2[2 * c];
    out[ch] = tn_output(o, acc, ch);
  }
}

/* Part of the window at (y0, x0) is padding: those taps read in_zp for every channel, the others step with ch. */
static void border_pixel(const tn_depthwise_params *p, const tn_output_stage *o, const int8_t *in, int32_t y0,
                         int32_t x0, int8_t *out) {
  const int8_t *tap[9];
  int32_t mask[9];
  const int32_t c = p->in_c;
  for (int32_t k = 0; k < 9; ++k) {
    const int32_t y = y0 + k / 3, x = x0 + k % 3;
    const int inside = y >= 0 && y < p->in_h && x >= 0 && x < p->in_w;
    tap[k] = inside ? in + (y * p->in_w + x) * c : &p->in_zp;
    mask[k] = inside ? -1 : 0;
  }
  for (int32_t ch = 0; ch < c; ++ch) {
    const int8_t *w = p->weight + ch;
    int32_t acc = p->bias[ch];
    for (int32_t k = 0; k < 9; ++k, w += c) acc += *w * tap[k][ch & mask[k]];
    out[ch] = tn_output(o, acc, ch);
  }
}

void tn_depthwise3x3_s8(const tn_depthwise_params *p, const int8_t *in, int8_t *out) {
  const tn_output_stage o = {p->multiplier, p->shift, p->out_zp, p->act_min, p->act_max};
  for (int32_t y = 0; y < p->out_h; ++y) {
    const int32_t y0 = y * p->stride_h - p->pad_h;
    for (int32_t x = 0; x < p->out_w; ++x, out += p->in_c) {
      const int32_t x0 = x * p->stride_w - p->pad_w;
      const int inner = y0 >= 0 && y0 + 3 <= p->in_h && x0 >= 0 && x0 + 3 <= p->in_w;
      if (inner) {
        inner_pixel(p, &o, in + (y0 * p->in_w + x0) * p->in_c, out);
      } else {
        border_pixel(p, &o, in, y0, x0, out);
      }
    }
  }
}
