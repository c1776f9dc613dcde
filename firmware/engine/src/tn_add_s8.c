#include "tn_add_value.h"

void tn_add_s8(const tn_add_params *p, const int8_t *a, const int8_t *b, int8_t *out) {
  for (uint32_t i = 0; i < p->elements; ++i) out[i] = tn_add_value(p, a[i], b[i]);
}
