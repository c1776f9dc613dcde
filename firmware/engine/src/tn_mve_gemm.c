#include "tn_mve_gemm.h"

#if TN_HAVE_MVE

/* The last one to three filters of every row. */
static void rest_of_filters(const tn_mve_matrix *m, const int8_t *stream, int32_t rest, tn_mve_rows rows, int8_t *out) {
  for (int32_t r = 0; r < rows.count; ++r, rows.x += rows.stride, out += m->filters) {
    int8_t four[4];
    tn_mve_gemm_row(m, stream, 1, rows.x, four);
    for (int32_t i = 0; i < rest; ++i) out[i] = four[i];
  }
}

static void some_rows(const tn_mve_matrix *m, const int8_t *stream, tn_mve_rows rows, int8_t *out) {
  const int32_t groups = m->filters / 4, rest = m->filters % 4;
  if (groups && m->n <= TN_MVE_LANES) {
    tn_mve_gemm_few(m, stream, groups, rows, out);
  } else if (groups && rows.count == 3) {
    tn_mve_gemm_rows3(m, stream, groups, rows, out);
  } else if (groups) {
    for (int32_t r = 0; r < rows.count; ++r)
      tn_mve_gemm_row(m, stream, groups, rows.x + r * rows.stride, out + r * m->filters);
  }
  if (rest) rest_of_filters(m, stream + groups * tn_mve_group_bytes(m->n), rest, rows, out + 4 * groups);
}

void tn_mve_gemm(const tn_mve_matrix *m, const int8_t *stream, tn_mve_rows rows, int8_t *out) {
  const int32_t most = m->n <= TN_MVE_LANES ? TN_MVE_FEW_ROWS : 3;
  int32_t left = rows.count;
  for (; left > 0; left -= rows.count) {
    rows.count = left < most ? left : most;
    some_rows(m, stream, rows, out);
    rows.x += rows.count * rows.stride;
    out += rows.count * m->filters;
  }
}

#endif
