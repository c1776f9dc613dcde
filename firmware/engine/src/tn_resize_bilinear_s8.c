#include "tn_resize.h"

#define ONE 1024

/* To nearest, ties away from zero, of a product of two shares. */
static int8_t rounded(int32_t x) { return (int8_t)((x + (x > 0 ? ONE * ONE / 2 : -ONE * ONE / 2)) / (ONE * ONE)); }

static tn_between between(const int16_t *table, int32_t i) {
  const tn_between b = {table[3 * i], table[3 * i + 1], table[3 * i + 2]};
  return b;
}

void tn_resize_bilinear_s8(const tn_resize_bilinear_params *p, const int8_t *in, int8_t *out) {
  const int32_t c = p->channels, line = p->in_w * c;
  for (int32_t i = 0; i < p->out_h; ++i) {
    const tn_between y = between(p->row, i);
    const int8_t *upper = in + y.first * line, *lower = in + y.second * line;
    for (int32_t j = 0; j < p->out_w; ++j) {
      const tn_between x = between(p->column, j);
      const int32_t left = x.first * c, right = x.second * c;
      for (int32_t k = 0; k < c; ++k) {
        const int32_t above = upper[left + k] * (ONE - x.share) + upper[right + k] * x.share;
        const int32_t below = lower[left + k] * (ONE - x.share) + lower[right + k] * x.share;
        *out++ = rounded(above * (ONE - y.share) + below * y.share);
      }
    }
  }
}
