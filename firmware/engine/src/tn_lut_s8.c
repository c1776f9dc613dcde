#include "tn_lut.h"

void tn_lut_s8(const tn_lut_params *p, const int8_t *in, int8_t *out) {
  for (uint32_t i = 0; i < p->elements; ++i) out[i] = p->table[in[i] + 128];
}
