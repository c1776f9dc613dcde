#include "tn_mve_gemm.h"

#if TN_HAVE_MVE

/* Four filters against sixteen inputs. VMLADAV accumulates in even registers only. */
#define TN_BLOCK(vmladav)        \
  "vldrb.8 q0, [%[x]], #16\n"    \
  "vldrb.8 q1, [%[a]], #16\n"    \
  vmladav " r0, q0, q1\n"        \
  "vldrb.8 q2, [%[a]], #16\n"    \
  vmladav " r2, q0, q2\n"        \
  "vldrb.8 q1, [%[b]], #16\n"    \
  vmladav " r4, q0, q1\n"        \
  "vldrb.8 q2, [%[b]], #16\n"    \
  vmladav " r6, q0, q2\n"

/* a and b read the two halves of a group. */
#define TN_ROW(scale)                                                     \
  __asm__ volatile(                                                       \
      "vdup.32 q6, %[x]\n"                                                \
      "vdup.32 q7, %[b]\n"                                                \
      "1: add %[b], %[a], %[half]\n"                                      \
      "ldr %[x], %[row]\n" TN_BLOCK("vmladav.s8")                         \
      "dlstp.8 lr, %[rest]\n"                                             \
      "2:\n" TN_BLOCK("vmladava.s8")                                      \
      "letp lr, 2b\n"                                                     \
      "vldrw.u32 q1, [%[b]], #16\n"                                       \
      "vmov q0[2], q0[0], r0, r2\n"                                       \
      "vldrw.u32 q3, [%[b]], #16\n"                                       \
      "vmov q0[3], q0[1], r4, r6\n"                                       \
      "vldrb.s32 q4, [%[b]], #4\n"                                        \
      "vadd.i32 q0, q0, q1\n"                                             \
      "mov %[a], %[b]\n" scale("q0", "q3", "q4", "q5")                    \
      "vadd.i32 q0, q0, %[zp]\n"                                          \
      "vmax.s32 q0, q0, q6\n"                                             \
      "vmin.s32 q0, q0, q7\n"                                             \
      "subs %[groups], #1\n"                                              \
      "vstrb.32 q0, [%[out]], #4\n"                                       \
      "bne 1b\n"                                                          \
      : [a] "+r"(stream), [b] "+l"(b), [x] "+r"(at), [out] "+l"(out), [groups] "+r"(groups)                     \
      : [rest] "r"(m->n - TN_MVE_LANES), [half] "r"(half), [row] "m"(x), [zp] "r"((int32_t)m->out_zp)           \
      : "r0", "r2", "r4", "r6", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "lr", "cc", "memory")

void tn_mve_gemm_row(const tn_mve_matrix *m, const int8_t *stream, int32_t groups, const int8_t *x, int8_t *out) {
  const int32_t half = tn_mve_half_bytes(m->n);
  int32_t b = m->act_max, at = m->act_min; /* pointers, once the limits are in q6 and q7 */
  if (m->rounding == TN_MVE_RELU) {
    TN_ROW(TN_MVE_SCALE_RELU);
  } else if (m->rounding == TN_MVE_SIGNED) {
    TN_ROW(TN_MVE_SCALE_SIGNED);
  } else {
    TN_ROW(TN_MVE_SCALE_LEFT);
  }
}

#endif
