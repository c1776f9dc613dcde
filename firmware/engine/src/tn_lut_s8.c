#include "tn_lut.h"

void tn_lut_s8(const tn_lut_params *p, const int8_t *in, int8_t *out) {
  const int8_t *const table = p->table + 128; /* kept: out might alias *p, as far as the compiler knows */
  uint32_t n = p->elements;
  for (; n >= 8; n -= 8, in += 8, out += 8) {
    out[0] = table[in[0]];
    out[1] = table[in[1]];
    out[2] = table[in[2]];
    out[3] = table[in[3]];
    out[4] = table[in[4]];
    out[5] = table[in[5]];
    out[6] = table[in[6]];
    out[7] = table[in[7]];
  }
  for (; n > 0; --n) *out++ = table[*in++];
}
