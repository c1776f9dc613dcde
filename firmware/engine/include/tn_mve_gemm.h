/* The matrix product that Helium's convolutions and fully connected layers come down to.
 *
 * Weights and constants of the filters are one stream, in the order it is read. Per group of four filters:
 *
 *   int8   [ceil(n / 16)][2][16]   weights of filters 0 and 2, zeros past n; symmetric, zero point 0
 *   int8   [ceil(n / 16)][2][16]   weights of filters 1 and 3
 *   int32  [4]                     bias, holds - in_zp * sum(weight) already
 *   int32  [4]                     multiplier, see tn_math.h
 *   int8   [4]                     shift
 *
 * A last group of fewer filters is filled up with zeros. Sums are made by VMLADAVA; a pair of them goes into lanes 0
 * and 2, or 1 and 3, of a vector with one instruction, hence the order of the filters. */
#ifndef TN_MVE_GEMM_H
#define TN_MVE_GEMM_H

#include "tn_mve.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint16_t n; /* products per output, at least 1 */
  uint16_t filters;
  int8_t out_zp, act_min, act_max;
  uint8_t rounding; /* TN_MVE_RELU, ... */
} tn_mve_matrix;

/* Rows of x, `stride` bytes apart. */
typedef struct {
  const int8_t *x;
  int32_t stride, count;
} tn_mve_rows;

enum {
  TN_MVE_LANES = 16,
  TN_MVE_FEW_ROWS = 24 /* rows that tn_mve_gemm may read before it writes their outputs, if n <= 16; else 3 */
};

/* Bytes of the weights of two filters. */
static inline int32_t tn_mve_half_bytes(int32_t n) { return (n + 15) / 16 * 32; }

static inline int32_t tn_mve_group_bytes(int32_t n) { return 2 * tn_mve_half_bytes(n) + 36; }

/* out[count][filters]; reads n bytes of every row and nothing beyond. The stream is 4-byte aligned. */
void tn_mve_gemm(const tn_mve_matrix *m, const int8_t *stream, tn_mve_rows rows, int8_t *out);

/* Parts of it: the first `groups` groups of filters, at least 1. */

/* One row, n > 16. */
void tn_mve_gemm_row(const tn_mve_matrix *m, const int8_t *stream, int32_t groups, const int8_t *x, int8_t *out);

/* A multiple of three rows, n > 16, three by three, to outputs m->filters bytes apart; shares every weight that is loaded. */
void tn_mve_gemm_rows3(const tn_mve_matrix *m, const int8_t *stream, int32_t groups, tn_mve_rows rows, int8_t *out);

/* Any number of rows, at least 1, n <= 16: a group's weights stay in registers. */
void tn_mve_gemm_few(const tn_mve_matrix *m, const int8_t *stream, int32_t groups, tn_mve_rows rows, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
