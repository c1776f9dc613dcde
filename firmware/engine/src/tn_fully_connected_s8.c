#include "tn_fully_connected.h"

#include "tn_dot.h"
#include "tn_math.h"

static int8_t requantised(const tn_fully_connected_params *p, int32_t acc, int32_t ch) {
  const int32_t scale = p->per_channel ? ch : 0;
  const int32_t v = tn_requantise(acc, p->multiplier[scale], p->shift[scale]) + p->out_zp;
  return (int8_t)tn_clamp(v, p->act_min, p->act_max);
}

static void output_row(const tn_fully_connected_params *p, const int8_t *in, int8_t *out) {
  const int32_t n = p->in_c;
  const int8_t *w = p->weight;
  int32_t ch = 0;
  for (; ch + 4 <= p->out_c; ch += 4, w += 4 * n) {
    int32_t acc[4] = {p->bias[ch], p->bias[ch + 1], p->bias[ch + 2], p->bias[ch + 3]};
    tn_dot4(in, w, n, n, acc);
    for (int32_t k = 0; k < 4; ++k) out[ch + k] = requantised(p, acc[k], ch + k);
  }
  for (; ch < p->out_c; ++ch, w += n) out[ch] = requantised(p, tn_dot(in, w, n, p->bias[ch]), ch);
}

void tn_fully_connected_s8(const tn_fully_connected_params *p, const int8_t *in, int8_t *out) {
  for (int32_t row = 0; row < p->rows; ++row, in += p->in_c, out += p->out_c) output_row(p, in, out);
}
