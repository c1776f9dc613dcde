#include "tn_math.h"
#include "tn_pool.h"

/* One channel over a window of h rows and w columns, all inside the input; x is its top left element. */
static int8_t pooled(const tn_pool_params *p, const int8_t *x, int32_t h, int32_t w) {
  const int32_t count = h * w;
  int32_t sum = 0;
  for (int32_t i = 0; i < h; ++i, x += p->in_w * p->channels) {
    for (int32_t j = 0; j < w; ++j) sum += x[j * p->channels];
  }
  const int32_t sign = sum >> 31; /* 0 or -1: rounds away from zero without a branch */
  sum = (sum + ((count / 2) ^ sign) - sign) / count;
  return (int8_t)tn_clamp(sum, p->act_min, p->act_max);
}

void tn_avg_pool_s8(const tn_pool_params *p, const int8_t *in, int8_t *out) {
  for (int32_t oy = 0; oy < p->out_h; ++oy) {
    const int32_t y = oy * p->stride_h - p->pad_h;
    const int32_t top = tn_max(y, 0), bottom = tn_min(y + p->k_h, p->in_h);
    for (int32_t ox = 0; ox < p->out_w; ++ox) {
      const int32_t x = ox * p->stride_w - p->pad_w;
      const int32_t left = tn_max(x, 0), right = tn_min(x + p->k_w, p->in_w);
      const int8_t *corner = in + (top * p->in_w + left) * p->channels;
      for (int32_t c = 0; c < p->channels; ++c) *out++ = pooled(p, corner + c, bottom - top, right - left);
    }
  }
}
