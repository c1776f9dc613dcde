/* ADD, SUB and MUL of two int8 tensors, with broadcasting. */
#ifndef TN_BINARY_H
#define TN_BINARY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where element [i][j][k][l] of the output finds its operands: the sum of index * stride; stride 0 repeats. */
typedef struct {
  uint16_t dims[4];
  uint32_t stride_a[4], stride_b[4];
} tn_broadcast;

/* Sum or difference. Both inputs are scaled to a common scale of 2^-20 of twice the larger one, summed, rescaled. */
typedef struct {
  uint32_t elements; /* of the output */
  int32_t multiplier_a, multiplier_b, multiplier_out;
  int8_t shift_a, shift_b, shift_out;
  int8_t sign_b; /* 1: a + b, -1: a - b */
  int8_t zp_a, zp_b, zp_out;
  int8_t act_min, act_max;
} tn_add_params;

/*   a, b, out  int8 [elements]; out may start at or before a and b (in place) */
void tn_add_s8(const tn_add_params *p, const int8_t *a, const int8_t *b, int8_t *out);

typedef struct {
  tn_broadcast shape;
  tn_add_params add;
} tn_add_broadcast_params;

/* As tn_add_s8, with operands repeated along some axes; out is apart from a and b. */
void tn_add_broadcast_s8(const tn_add_broadcast_params *p, const int8_t *a, const int8_t *b, int8_t *out);

/* Product: (a - zp_a) * (b - zp_b) * multiplier + zp_out, operands repeated as `shape` says. */
typedef struct {
  tn_broadcast shape;
  int32_t multiplier; /* a_scale * b_scale / out_scale, see tn_math.h */
  int8_t shift;
  int8_t zp_a, zp_b, zp_out;
  int8_t act_min, act_max;
} tn_mul_params;

/* out may start at or before an operand that is not repeated. */
void tn_mul_s8(const tn_mul_params *p, const int8_t *a, const int8_t *b, int8_t *out);

/* Every pixel's channels times one factor per channel, as squeeze-and-excitation weighs them. Other fields as above. */
typedef struct {
  uint32_t pixels, channels;
  int32_t multiplier;
  int8_t shift;
  int8_t zp_a, zp_b, zp_out;
  int8_t act_min, act_max;
} tn_mul_channels_params;

/*   a    int8 [pixels][channels]
 *   b    int8 [channels]
 *   out  int8 [pixels][channels]; may start at or before a, apart from b */
void tn_mul_channels_s8(const tn_mul_channels_params *p, const int8_t *a, const int8_t *b, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
