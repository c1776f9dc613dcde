/* Depthwise convolution, one channel at a time on int16 pairs of neighbouring columns (DSP extension).
 *
 * Output rows are computed a strip at a time, four channels at a time. The input rows that a strip needs are kept in
 * scratch memory, channel by channel, as pairs of neighbouring columns with the padding filled in: one multiply then
 * does two taps of an output. */
#ifndef TN_DSP_DEPTHWISE_H
#define TN_DSP_DEPTHWISE_H

#include "tn_depthwise.h"
#include "tn_dsp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the inner loop needs of a strip of four channels; the assembly knows this order. */
typedef struct {
  const uint32_t *records; /* weights and requantisation per channel, see the loops */
  const uint32_t *rows;    /* first input row */
  int8_t *out;             /* first output */
  int32_t pixel;           /* distance of output pixels, bytes */
  int32_t out_line;        /* of output rows */
  int32_t in_line;         /* of input rows (3x3 stride 1: of every second row) */
  int32_t lines;           /* output rows */
  int32_t pairs;           /* of outputs in a row */
  int32_t odd;             /* 1 if a single output follows them */
  int32_t is_relu;
} tn_dsp_strip;

typedef void tn_dsp_strip_loop(const tn_dsp_strip *strip);

/* 3x3, stride 1. A record is tn_dsp_channel, then for each row of the kernel the pairs (w0, w1), (w1, w2). Input rows
 * come two by two, interleaved: for a pair of columns the word of the upper row, then that of the lower; a channel has
 * pairs + odd + 1 of both. */
tn_dsp_strip_loop tn_dsp_strip3x3;

/* The others. A record is, for each row of the kernel, the pairs of weights; then tn_dsp_channel.
 *   stride 1: (w0, w1), (w2, w3), .. without the last weight, then (w1, w2), (w3, w4), ..
 *   stride 2: (w0, w1), (w2, w3), .. (last, 0)
 * A channel has (pairs + odd) * stride + k / 2 words in a row. */
tn_dsp_strip_loop tn_dsp_strip3x3_stride2, tn_dsp_strip5x5, tn_dsp_strip5x5_stride2, tn_dsp_strip7x7,
    tn_dsp_strip7x7_stride2;

/* Weights [k][k][channels] as the pairs of a record; out: where the first channel's go. */
void tn_dsp_weight_pairs(const int8_t *weight, int32_t n, int32_t channels, int32_t k, int32_t record_words, uint32_t *out);
void tn_dsp_weight_pairs_stride2(const int8_t *weight, int32_t n, int32_t channels, int32_t k, int32_t record_words,
                                 uint32_t *out);

/* How columns of one input row become pairs. */
typedef struct {
  int32_t pixel;  /* distance of input pixels, bytes */
  int32_t plane;  /* distance of a channel's pairs from the next channel's, bytes */
  int32_t inner;  /* pairs of which both columns are inside */
  int32_t left;   /* 1: before them one whose first column is padding */
  int32_t right;  /* 1: after them one whose second column is padding */
  uint32_t zero4; /* four times the zero point */
} tn_dsp_columns;

/* Spreads four channels of a row from x (column 0) on; pairs of a channel are 1 word apart (spread8: 2 words). */
void tn_dsp_spread4(const tn_dsp_columns *c, const int8_t *x, uint32_t *out);
void tn_dsp_spread8(const tn_dsp_columns *c, const int8_t *x, uint32_t *out);

/* A whole depthwise convolution by the loop for its kernel and stride. */
void tn_dsp_depthwise(const tn_depthwise_params *p, const int8_t *in, int8_t *out, void *scratch,
                      tn_dsp_strip_loop *loop);

#ifdef __cplusplus
}
#endif

#endif
