#include "tn_mve.h"
#include "tn_pool_mve.h"

#if TN_HAVE_MVE

#include <arm_mve.h>

enum { LANES = 4 };

/* The part of a window that lies inside the input. */
typedef struct {
  const int8_t *first;
  int32_t rows, columns, line; /* line: bytes from row to row */
} part;

static int32x4_t sum_of(const part *w, int32_t channels, mve_pred16_t lanes) {
  int32x4_t sum = vdupq_n_s32(0);
  for (int32_t y = 0; y < w->rows; ++y) {
    const int8_t *x = w->first + y * w->line;
    for (int32_t n = w->columns; n > 0; --n, x += channels) sum = vaddq_s32(sum, vldrbq_z_s32(x, lanes));
  }
  return sum;
}

/* sum / count to nearest, ties away from zero. (|sum| + count / 2) is below 2^7 * (count + 1), so the upper half of
 * its product with 2^32 / count rounded up is its exact quotient up to count = 4,096. */
static int32x4_t mean_of(int32x4_t sum, int32_t count) {
  const int32x4_t sign = vshrq_n_s32(sum, 31);
  const uint32x4_t n = vaddq_n_u32(vreinterpretq_u32_s32(vabsq_s32(sum)), (uint32_t)count / 2);
  const uint32x4_t inverse = vdupq_n_u32(UINT32_MAX / (uint32_t)count + 1);
  const int32x4_t mean = vreinterpretq_s32_u32(vmulhq_u32(n, inverse));
  return vsubq_s32(veorq_s32(mean, sign), sign);
}

static void write_pixel(const tn_pool_params *p, const part *w, int8_t *out) {
  const int32_t c = p->channels, count = w->rows * w->columns;
  part at = *w;
  for (int32_t ch = 0; ch < c; ch += LANES, at.first += LANES) {
    const mve_pred16_t lanes = vctp32q((uint32_t)(c - ch));
    const int32x4_t sum = sum_of(&at, c, lanes);
    const int32x4_t mean = count == 1 ? sum : mean_of(sum, count);
    const int32x4_t clamped = vminq_s32(vmaxq_s32(mean, vdupq_n_s32(p->act_min)), vdupq_n_s32(p->act_max));
    vstrbq_p_s32(out + ch, clamped, lanes);
  }
}

static int32_t most(int32_t a, int32_t b) { return a > b ? a : b; }

static int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

void tn_avg_pool_mve_s8(const tn_pool_params *p, const int8_t *in, int8_t *out) {
  const int32_t c = p->channels;
  for (int32_t y = 0; y < p->out_h; ++y) {
    const int32_t y0 = y * p->stride_h - p->pad_h, top = most(y0, 0), bottom = least(y0 + p->k_h, p->in_h);
    for (int32_t x = 0; x < p->out_w; ++x, out += c) {
      const int32_t x0 = x * p->stride_w - p->pad_w, left = most(x0, 0), right = least(x0 + p->k_w, p->in_w);
      const part w = {in + (top * p->in_w + left) * c, bottom - top, right - left, p->in_w * c};
      write_pixel(p, &w, out);
    }
  }
}

#endif
