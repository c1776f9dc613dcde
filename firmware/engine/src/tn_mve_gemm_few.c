#include "tn_mve_gemm.h"

#if TN_HAVE_MVE

/* What does not fit into registers, in the order of the loads below. */
typedef struct {
  int32_t bias[4], low[4], high[4];
} spilled;

/* A group's weights, multipliers and shifts into q1 .. q4, q6, q7, its biases into q5; the next group's address. */
#define TN_GROUP                 \
  "vldrb.8 q2, [%[w], #16]\n"    \
  "vldrb.8 q3, [%[w], #32]\n"    \
  "vldrb.8 q4, [%[w], #48]\n"    \
  "vldrb.8 q1, [%[w]], #64\n"    \
  "vldrw.u32 q5, [%[w]], #16\n"  \
  "vldrw.u32 q6, [%[w]], #16\n"  \
  "vldrb.s32 q7, [%[w]], #4\n"

/* Inactive lanes are loaded as zeros. */
#define TN_SUMS                  \
  "1: vpst\n"                    \
  "vldrbt.8 q0, [%[x]]\n"        \
  "add %[x], %[x], %[stride]\n"  \
  "vmladav.s8 r0, q0, q1\n"      \
  "vmladav.s8 r2, q0, q2\n"      \
  "vmladav.s8 r4, q0, q3\n"      \
  "vmladav.s8 r6, q0, q4\n"      \
  "vmov q0[2], q0[0], r0, r2\n"  \
  "vmov q0[3], q0[1], r4, r6\n"

/* The whole int8 range: a saturating shift to the top byte and back takes no register for the limits. */
#define TN_WHOLE_RANGE                                                \
  "vadd.i32 q0, q0, q5\n" TN_MVE_SCALE_RELU("q0", "q6", "q7", "")     \
  "vadd.i32 q0, q0, %[zp]\n"                                          \
  "vqshl.s32 q0, q0, #24\n"                                           \
  "vshr.s32 q0, q0, #24\n"

#define TN_ANY_RANGE(scale)                                           \
  "vldrw.u32 q5, [%[k]]\n"                                            \
  "vadd.i32 q0, q0, q5\n" scale("q0", "q6", "q7", "q5")               \
  "vadd.i32 q0, q0, %[zp]\n"                                          \
  "vldrw.u32 q5, [%[k], #16]\n"                                       \
  "vmax.s32 q0, q0, q5\n"                                             \
  "vldrw.u32 q5, [%[k], #32]\n"                                       \
  "vmin.s32 q0, q0, q5\n"

#define TN_FEW(outputs)                                                                                        \
  __asm__ volatile(                                                                                            \
      "ldr r0, %[n]\n"                                                                                         \
      "vctp.8 r0\n" TN_GROUP "vstrw.32 q5, [%[k]]\n"                                                           \
      "ldr lr, %[count]\n"                                                                                     \
      "dls lr, lr\n" TN_SUMS outputs                                                                           \
      "vstrb.32 q0, [%[out]]\n"                                                                                \
      "add %[out], %[out], %[filters]\n"                                                                       \
      "le lr, 1b\n"                                                                                            \
      : [w] "+l"(stream), [x] "+r"(x), [out] "+l"(to)                                                               \
      : [n] "m"(n), [count] "m"(rows.count), [stride] "r"(rows.stride),                            \
        [filters] "r"((int32_t)m->filters), [zp] "r"((int32_t)m->out_zp), [k] "r"(&k)                          \
      : "r0", "r2", "r4", "r6", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "lr", "cc", "memory")

void tn_mve_gemm_few(const tn_mve_matrix *m, const int8_t *stream, int32_t groups, tn_mve_rows rows, int8_t *out) {
  const int whole = m->act_min == -128 && m->act_max == 127;
  const int32_t n = m->n;
  spilled k;
  for (int32_t i = 0; i < 4; ++i) {
    k.low[i] = m->act_min;
    k.high[i] = m->act_max;
  }
  for (int32_t g = 0; g < groups; ++g) {
    const int8_t *x = rows.x;
    int8_t *to = out + 4 * g;
    if (whole && m->rounding == TN_MVE_RELU) {
      TN_FEW(TN_WHOLE_RANGE);
    } else if (m->rounding == TN_MVE_RELU) {
      TN_FEW(TN_ANY_RANGE(TN_MVE_SCALE_RELU));
    } else if (m->rounding == TN_MVE_SIGNED) {
      TN_FEW(TN_ANY_RANGE(TN_MVE_SCALE_SIGNED));
    } else {
      TN_FEW(TN_ANY_RANGE(TN_MVE_SCALE_LEFT));
    }
  }
}

#endif
