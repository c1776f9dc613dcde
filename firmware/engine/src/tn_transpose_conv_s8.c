#include "tn_transpose_conv.h"

#include "tn_math.h"

static int32_t dot(const int8_t *x, const int8_t *w, int32_t n, int32_t zero, int32_t acc) {
  for (int32_t i = 0; i < n; ++i) acc += (x[i] - zero) * w[i];
  return acc;
}

/* Sum for the output pixel whose padded position is (y, x), of one channel with filter w. The input rows that reach it
 * are those i with tap y - i * stride in [0, k). */
static int32_t gathered(const tn_transpose_conv_params *p, const int8_t *in, int32_t y, int32_t x, const int8_t *w,
                        int32_t acc) {
  const int32_t c = p->in_c, top = tn_max((y - p->k_h + p->stride_h) / p->stride_h, 0);
  const int32_t left = tn_max((x - p->k_w + p->stride_w) / p->stride_w, 0);
  for (int32_t i = top; i < p->in_h && i * p->stride_h <= y; ++i) {
    const int8_t *row = in + i * p->in_w * c, *taps = w + (y - i * p->stride_h) * p->k_w * c;
    for (int32_t j = left; j < p->in_w && j * p->stride_w <= x; ++j) {
      acc = dot(row + j * c, taps + (x - j * p->stride_w) * c, c, p->in_zp, acc);
    }
  }
  return acc;
}

void tn_transpose_conv_s8(const tn_transpose_conv_params *p, const int8_t *in, int8_t *out) {
  const tn_output_stage o = {p->multiplier, p->shift, p->out_zp, p->act_min, p->act_max};
  const int32_t filter = (int32_t)p->k_h * p->k_w * p->in_c;
  for (int32_t y = 0; y < p->out_h; ++y) {
    for (int32_t x = 0; x < p->out_w; ++x) {
      for (int32_t ch = 0; ch < p->out_c; ++ch) {
        const int32_t acc = gathered(p, in, y + p->pad_h, x + p->pad_w, p->weight + ch * filter, p->bias[ch]);
        *out++ = tn_output(&o, acc, ch);
      }
    }
  }
}
