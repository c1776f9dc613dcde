#include "tn_keep_rows.h"

#include <string.h>

/* Upwards, so that overlapping rows are read before they are overwritten. */
void tn_keep_rows_s8(const tn_keep_rows_params *p, const int8_t *in, int8_t *out) {
  uint32_t left = p->bytes;
  for (; left >= 4u; left -= 4u, in += 4, out += 4) {
    uint32_t word;
    memcpy(&word, in, sizeof word);
    memcpy(out, &word, sizeof word);
  }
  for (; left > 0u; --left) *out++ = *in++;
}
