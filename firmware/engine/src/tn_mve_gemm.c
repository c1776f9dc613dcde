#include "tn_mve_gemm.h"

#if TN_HAVE_MVE

/* All whole groups of filters; rows are finished three by three if n > 16. */
static void whole_groups(const tn_mve_matrix *m, const int8_t *stream, int32_t groups, tn_mve_rows rows, int8_t *out) {
  if (m->n <= TN_MVE_LANES) {
    tn_mve_gemm_few(m, stream, groups, rows, out);
    return;
  }
  const int32_t single = rows.count % 3;
  rows.count -= single;
  tn_mve_gemm_rows3(m, stream, groups, rows, out);
  for (int32_t r = rows.count; r < rows.count + single; ++r)
    tn_mve_gemm_row(m, stream, groups, rows.x + r * rows.stride, out + r * m->filters);
}

/* The last one to three filters of every row. */
static void rest_of_filters(const tn_mve_matrix *m, const int8_t *stream, int32_t rest, tn_mve_rows rows, int8_t *out) {
  for (int32_t r = 0; r < rows.count; ++r, rows.x += rows.stride, out += m->filters) {
    const tn_mve_rows one = {rows.x, rows.stride, 1};
    int8_t four[4];
    whole_groups(m, stream, 1, one, four);
    for (int32_t i = 0; i < rest; ++i) out[i] = four[i];
  }
}

/* Rows that may be given to whole_groups together: all, if no filters are left over for which they are read again. */
static int32_t rows_together(const tn_mve_matrix *m, int32_t count) {
  if (m->n <= TN_MVE_LANES) return TN_MVE_FEW_ROWS;
  return m->filters % 4 ? 3 : count;
}

void tn_mve_gemm(const tn_mve_matrix *m, const int8_t *stream, tn_mve_rows rows, int8_t *out) {
  const int32_t most = rows_together(m, rows.count), groups = m->filters / 4, rest = m->filters % 4;
  int32_t left = rows.count;
  for (; left > 0; left -= rows.count) {
    rows.count = left < most ? left : most;
    if (groups) whole_groups(m, stream, groups, rows, out);
    if (rest) rest_of_filters(m, stream + groups * tn_mve_group_bytes(m->n), rest, rows, out + 4 * groups);
    rows.x += rows.count * rows.stride;
    out += rows.count * m->filters;
  }
}

#endif
