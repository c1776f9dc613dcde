/* The loops tn_dsp_strip<k>x<k>[_stride2] in plain C, for cores without the DSP extension. */
#ifndef TN_DSP_STRIP_C_H
#define TN_DSP_STRIP_C_H

#include "tn_dsp_depthwise.h"

/* Output x of a channel from one row of input pairs and one row of weight pairs. */
static int32_t tn_dsp_row_sum(const uint32_t *row, const uint32_t *w, int32_t k, int32_t stride, int32_t x) {
  const int32_t half = k / 2;
  const uint32_t *pair = row + (stride == 2 ? x : x / 2);
  int32_t sum = 0;
  if (stride == 2) {
    for (int32_t i = 0; i <= half; ++i) sum = tn_smlad(pair[i], w[i], sum);
  } else if (x % 2 == 0) {
    for (int32_t i = 0; i < half; ++i) sum = tn_smlad(pair[i], w[i], sum);
    sum += tn_low(pair[half]) * tn_high(w[2 * half - 1]);
  } else {
    sum = tn_high(pair[0]) * tn_low(w[0]);
    for (int32_t i = 0; i < half; ++i) sum = tn_smlad(pair[i + 1], w[half + i], sum);
  }
  return sum;
}

static int8_t tn_dsp_output(const tn_dsp_strip *s, const uint32_t *record, const uint32_t *rows, int32_t k,
                            int32_t stride, int32_t x) {
  const int32_t row_words = stride == 1 ? k - 1 : k / 2 + 1;
  int32_t sum = 0;
  for (int32_t i = 0; i < k; ++i) {
    sum += tn_dsp_row_sum(rows + i * (s->in_line / 4), record + i * row_words, k, stride, x);
  }
  return tn_dsp_requantise((const tn_dsp_channel *)(const void *)(record + k * row_words), (uint32_t)sum << 1,
                           s->is_relu);
}

static void tn_dsp_strip_c(const tn_dsp_strip *s, int32_t k, int32_t stride) {
  const int32_t record_words = k * (stride == 1 ? k - 1 : k / 2 + 1) + 4;
  const int32_t plane = (s->pairs + s->odd) * stride + k / 2;
  for (int32_t i = 0; i < 4; ++i) {
    const uint32_t *record = s->records + i * record_words, *rows = s->rows + i * plane;
    for (int32_t y = 0; y < s->lines; ++y, rows += stride * (s->in_line / 4)) {
      for (int32_t x = 0; x < 2 * s->pairs + s->odd; ++x) {
        s->out[y * s->out_line + x * s->pixel + i] = tn_dsp_output(s, record, rows, k, stride, x);
      }
    }
  }
}

#endif
