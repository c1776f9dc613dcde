/* Dot products of int8 vectors with an int32 accumulator: the inner loops of convolution and fully connected. */
#ifndef TN_DOT_H
#define TN_DOT_H

#include <stdint.h>

/* acc + sum of x[i] * w[i]. */
static inline int32_t tn_dot(const int8_t *x, const int8_t *w, int32_t n, int32_t acc) {
  for (int32_t i = 0; i < n; ++i) acc += x[i] * w[i];
  return acc;
}

/* Four rows of weights, `stride` bytes apart, against one x: each x is loaded once for four products. */
static inline void tn_dot4(const int8_t *x, const int8_t *w, int32_t stride, int32_t n, int32_t acc[4]) {
  const int8_t *w1 = w + stride, *w2 = w1 + stride, *w3 = w2 + stride;
  int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
  for (int32_t i = 0; i < n; ++i) {
    const int32_t v = x[i];
    a0 += v * w[i];
    a1 += v * w1[i];
    a2 += v * w2[i];
    a3 += v * w3[i];
  }
  acc[0] = a0;
  acc[1] = a1;
  acc[2] = a2;
  acc[3] = a3;
}

static inline int32_t tn_sum(const int8_t *w, int32_t n) {
  int32_t sum = 0;
  for (int32_t i = 0; i < n; ++i) sum += w[i];
  return sum;
}

#endif
