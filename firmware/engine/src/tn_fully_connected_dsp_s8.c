#include "tn_dsp.h"
#include "tn_fully_connected_dsp.h"

enum { CHUNK = 32 }; /* channels whose records are in scratch at a time */

/* n inputs, padded with zeros to whole words. */
static void expand(uint32_t *x, const int8_t *in, int32_t n) {
  uint32_t tail = 0;
  x = tn_dsp_expand1(x, in, n / 4);
  if (n % 4 == 0) return;
  for (int32_t i = 0; i < n % 4; ++i) tail |= (uint32_t)(uint8_t)in[n / 4 * 4 + i] << (8 * i);
  x[0] = tn_sxtb16(tail);
  x[1] = tn_sxtb16_odd(tail);
}

/* Channels first .. first + n - 1, n rounded up to 4. */
static void channels(const tn_fully_connected_params *p, int32_t first, int32_t n, tn_dsp_channel *records,
                     const uint32_t *x, int8_t *out) {
  const int32_t words = (p->in_c + 3) / 4, scale = p->per_channel ? first : 0;
  const tn_dsp_gemm gemm = {p->weight + first * words * 4, records, 2 * words, (n + 3) / 4,
                            tn_dsp_is_relu(p->act_min, p->out_zp)};
  tn_dsp_channels(p->bias + first, p->multiplier + scale, p->shift + scale, !p->per_channel, n, gemm.blocks * 4,
                  p->out_zp, records, sizeof *records);
  tn_dsp_gemm1(&gemm, x, out);
  tn_dsp_clamp(out, n, p->act_min, p->act_max);
}

void tn_fully_connected_dsp_s8(const tn_fully_connected_params *p, const int8_t *in, int8_t *out, void *scratch) {
  tn_dsp_channel *records = (tn_dsp_channel *)scratch;
  int8_t *spare = (int8_t *)(records + CHUNK);
  uint32_t *x = (uint32_t *)(void *)(spare + CHUNK);
  for (int32_t row = 0; row < p->rows; ++row, in += p->in_c, out += p->out_c) {
    expand(x, in, p->in_c);
    for (int32_t first = 0; first < p->out_c; first += CHUNK) {
      const int32_t left = p->out_c - first, n = left < CHUNK ? left : (int32_t)CHUNK;
      channels(p, first, n, records, x, n % 4 == 0 ? out + first : spare);
      if (n % 4 != 0) tn_dsp_copy(out + first, spare, n);
    }
  }
}
