#include "tn_mve_gemm.h"

#if TN_HAVE_MVE

/* Two filters against sixteen inputs of three rows: 96 products for five loads. */
#define TN_BLOCK(vmladav)         \
  "vldrb.8 q3, [%[w]], #16\n"     \
  "vldrb.8 q5, [%[x0]], #16\n"    \
  vmladav " r0, q5, q3\n"         \
  "vldrb.8 q4, [%[w]], #16\n"     \
  vmladav " r2, q5, q4\n"         \
  "vldrb.8 q5, [%[x1]], #16\n"    \
  vmladav " r4, q5, q3\n"         \
  vmladav " r6, q5, q4\n"         \
  "vldrb.8 q5, [%[x2]], #16\n"    \
  vmladav " r8, q5, q3\n"         \
  vmladav " r10, q5, q4\n"

#define TN_TWO_FILTERS                                   \
  "ldrd %[x0], %[x1], %[rows]\n"                         \
  "ldr %[x2], %[row2]\n" TN_BLOCK("vmladav.s8")          \
  "dlstp.8 lr, %[rest]\n"                                \
  "2:\n" TN_BLOCK("vmladava.s8")                         \
  "letp lr, 2b\n"

#define TN_CLAMP(q)               \
  "vadd.i32 " q ", " q ", r0\n"   \
  "vmax.s32 " q ", " q ", q6\n"   \
  "vmin.s32 " q ", " q ", q7\n"

#define TN_ROWS3(scale)                                             \
  __asm__ volatile(                                                 \
      "vdup.32 q6, %[w]\n"                                          \
      "vdup.32 q7, %[x0]\n"                                         \
      "ldr %[w], %[first]\n"                                        \
      "1:\n" TN_TWO_FILTERS                                         \
      "vmov q0[2], q0[0], r0, r2\n"                                 \
      "vmov q1[2], q1[0], r4, r6\n"                                 \
      "vmov q2[2], q2[0], r8, r10\n" TN_TWO_FILTERS                 \
      "vmov q0[3], q0[1], r0, r2\n"                                 \
      "vldrw.u32 q5, [%[w]], #16\n"                                 \
      "vmov q1[3], q1[1], r4, r6\n"                                 \
      "vldrw.u32 q3, [%[w]], #16\n"                                 \
      "vmov q2[3], q2[1], r8, r10\n"                                \
      "vldrb.s32 q4, [%[w]], #4\n"                                  \
      "vadd.i32 q0, q0, q5\n"                                       \
      "vadd.i32 q1, q1, q5\n"                                       \
      "vadd.i32 q2, q2, q5\n"                                       \
      "ldr r0, %[zp]\n" scale("q0", "q3", "q4", "q5") TN_CLAMP("q0") \
      "mov r6, %[out]\n"                                            \
      "ldr r8, %[filters]\n"                                        \
      "add r2, r6, r8\n"                                            \
      "vstrb.32 q0, [r6]\n" scale("q1", "q3", "q4", "q5") TN_CLAMP("q1") \
      "add r4, r2, r8\n"                                            \
      "vstrb.32 q1, [r2]\n" scale("q2", "q3", "q4", "q5") TN_CLAMP("q2") \
      "ldr r0, %[end]\n"                                            \
      "add %[out], %[out], #4\n"                                    \
      "cmp %[w], r0\n"                                              \
      "vstrb.32 q2, [r4]\n"                                         \
      "bne 1b\n"                                                    \
      : [w] "+l"(w), [x0] "+r"(x0), [x1] "=&r"(x1), [x2] "=&r"(x2), [out] "+r"(to)                              \
      : [rest] "r"(m->n - TN_MVE_LANES), [filters] "m"(filters), [rows] "m"(row), [row2] "m"(row[2]),        \
        [first] "m"(stream), [end] "m"(end), [zp] "m"(zp)                                                        \
      : "r0", "r2", "r4", "r6", "r8", "r10", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "lr", "cc", "memory")

void tn_mve_gemm_rows3(const tn_mve_matrix *m, const int8_t *stream, int32_t groups, tn_mve_rows rows, int8_t *out) {
  const int8_t *const end = stream + groups * tn_mve_group_bytes(m->n);
  const int32_t filters = m->filters, zp = m->out_zp, low = m->act_min, high = m->act_max;
  for (; rows.count > 0; rows.count -= 3, rows.x += 3 * rows.stride, out += 3 * m->filters) {
    const int8_t *const row[3] = {rows.x, rows.x + rows.stride, rows.x + 2 * rows.stride};
    int32_t w = low, x0 = high, x1, x2; /* pointers, once the limits are in q6 and q7 */
    int8_t *to = out;
    if (m->rounding == TN_MVE_RELU) {
      TN_ROWS3(TN_MVE_SCALE_RELU);
    } else if (m->rounding == TN_MVE_SIGNED) {
      TN_ROWS3(TN_MVE_SCALE_SIGNED);
    } else {
      TN_ROWS3(TN_MVE_SCALE_LEFT);
    }
  }
}

#endif
