/* Inner loops of the kernels for cores with the DSP extension (Cortex-M4, M7, M33).
 *
 * Requantisation. TFLite rounds twice: v = round(acc * multiplier / 2^31), ties up, then out = round(v / 2^e), ties
 * away from zero. With SMMLAR, which rounds (a * b) / 2^32 with ties up and adds a third number,
 *
 *     v + c = SMMLAR(2 * acc, multiplier, c)          exactly, while |acc| < 2^30
 *     out   = (v + c - (acc < 0)) >> e                with c = (2 * zero + 1) << (e - 1), e >= 1
 *
 * because round(v / 2^e) = (v + 2^(e-1) - (v < 0)) >> e, and acc < 0 with v = 0 (acc = -1, multiplier = 2^30) gives
 * the same output either way. Where the activation cuts off at the zero point the "- (acc < 0)" is left out: it only
 * tells ties below zero apart, which end at the zero point anyway. Then e = 0 is possible too, with c = zero. */
#ifndef TN_DSP_H
#define TN_DSP_H

#include "tn_simd.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Requantisation of one output channel, in the order the inner loops load it. */
typedef struct {
  int32_t bias2; /* 2 * bias */
  int32_t multiplier;
  int32_t rounding; /* c above */
  int32_t shift;    /* e above */
} tn_dsp_channel;

/* Whether the activation cuts off at the zero point or above, so that negative ties need no care. */
static inline int tn_dsp_is_relu(int32_t act_min, int32_t zero) { return act_min >= zero; }

/* int8 output of a channel; acc2 is 2 * (the sum without bias). */
static inline int8_t tn_dsp_requantise(const tn_dsp_channel *c, uint32_t acc2, int32_t is_relu) {
  const int32_t twice = (int32_t)(acc2 + (uint32_t)c->bias2);
  const int32_t v = tn_smmlar(twice, c->multiplier, c->rounding) - (!is_relu && twice < 0 ? 1 : 0);
  return (int8_t)tn_ssat8(v >> c->shift);
}

/* Fills `padded` records, `step` bytes apart, from the first `channels`, at least one (the rest give `zero`). shift is
 * as in tn_math.h, in [-22, 0], 0 only with an activation that cuts off at `zero`. multiplier and shift: per channel
 * or, if `shared`, one for all. */
void tn_dsp_channels(const int32_t *bias, const int32_t *multiplier, const int8_t *shift, int32_t shared,
                     int32_t channels, int32_t padded, int32_t zero, void *out, int32_t step);

/* Clamps n bytes to [low, high]. */
void tn_dsp_clamp(int8_t *x, int32_t n, int32_t low, int32_t high);

/* Matrix product of `blocks` times 4 output channels with one or two pixels of `steps` times 2 inputs.
 *
 * Weights of a block: for every step two words, the first of channels a, b, the second of c, d, each
 * 65536 * (256 * a[k'] + b[k']) + (256 * a[k] + b[k]), where (k, k') is (0, 2), (1, 3), (4, 6), (5, 7), ...
 * One multiply then yields 256 * A + B for two inputs, another on the sign-extended low bytes B alone. */
typedef struct {
  const int8_t *weight;
  const tn_dsp_channel *channels; /* [4 * blocks] */
  int32_t steps;                  /* even, at least 2 */
  int32_t blocks;
  int32_t is_relu;
} tn_dsp_gemm;

/*   x     pairs (k, k') of the first and the second pixel in turn, as tn_dsp_expand2 leaves them
 *   out0  int8 [4 * blocks], the first pixel's outputs; out1 the second's */
void tn_dsp_gemm2(const tn_dsp_gemm *g, const uint32_t *x, int8_t *out0, int8_t *out1);

/*   x    pairs (k, k') of the pixel, as tn_dsp_expand1 leaves them */
void tn_dsp_gemm1(const tn_dsp_gemm *g, const uint32_t *x, int8_t *out);

/* Sign-extends 4 * words inputs of two pixels (of one) into the order tn_dsp_gemm2 (tn_dsp_gemm1) reads; returns the
 * end of out. */
uint32_t *tn_dsp_expand2(uint32_t *out, const int8_t *a, const int8_t *b, int32_t words);
uint32_t *tn_dsp_expand1(uint32_t *out, const int8_t *a, int32_t words);

/* n bytes, whole words at a time; returns the end of out. */
int8_t *tn_dsp_copy(int8_t *out, const int8_t *x, int32_t n);

#ifdef __cplusplus
}
#endif

#endif
