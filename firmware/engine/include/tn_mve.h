/* What the Helium kernels share. On other cores their sources compile to nothing: the planner picks them for cores
 * with the integer vector extension only, and the portable kernels give the same bytes.
 *
 * Requantisation. VQRDMULH is TensorFlow Lite's doubling high multiply. VRSHL, a shift to the right by a negative
 * amount, rounds ties up where TensorFlow Lite rounds them away from zero; one less before it makes up for that in
 * negative numbers that are shifted at all. Where the activation cuts off at the zero point, it makes no difference:
 * it only tells apart numbers that end at the zero point anyway. */
#ifndef TN_MVE_H
#define TN_MVE_H

#include <stdint.h>

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#define TN_HAVE_MVE 1
#else
#define TN_HAVE_MVE 0
#endif

/* The least work that is exact for a layer. */
enum {
  TN_MVE_RELU = 0,   /* act_min == out_zp, no shift to the left */
  TN_MVE_SIGNED = 1, /* no shift to the left */
  TN_MVE_LEFT = 2    /* any */
};

/* Four sums in vector `a` to four scaled numbers, in asm; m: multipliers, s: shifts, t: free. */
#define TN_MVE_SCALE_RELU(a, m, s, t)             \
  "vqrdmulh.s32 " a ", " a ", " m "\n"            \
  "vrshl.s32 " a ", " a ", " s "\n"

#define TN_MVE_SCALE_SIGNED(a, m, s, t)           \
  "vqrdmulh.s32 " a ", " a ", " m "\n"            \
  "vand " t ", " a ", " s "\n"                    \
  "vshr.s32 " t ", " t ", #31\n"                  \
  "vqadd.s32 " a ", " a ", " t "\n"               \
  "vrshl.s32 " a ", " a ", " s "\n"

/* Shifts to the left come before the product, those to the right after it. */
#define TN_MVE_SCALE_LEFT(a, m, s, t)             \
  "vmov.i32 " t ", #0\n"                          \
  "vmax.s32 " t ", " t ", " s "\n"                \
  "vshl.s32 " a ", " a ", " t "\n"                \
  "vqrdmulh.s32 " a ", " a ", " m "\n"            \
  "vand " t ", " a ", " s "\n"                    \
  "vshr.s32 " t ", " t ", #31\n"                  \
  "vqadd.s32 " a ", " a ", " t "\n"               \
  "vmov.i32 " t ", #0\n"                          \
  "vmin.s32 " t ", " t ", " s "\n"                \
  "vrshl.s32 " a ", " a ", " t "\n"

#if TN_HAVE_MVE

/* n bytes, n >= 0; the areas do not overlap. Returns the end of the copy. */
static inline int8_t *tn_mve_copy(int8_t *to, const int8_t *from, int32_t n) {
  int8_t *const end = to + n;
  __asm__ volatile(
      "wlstp.8 lr, %[n], 2f\n"
      "1: vldrb.8 q0, [%[from]], #16\n"
      "vstrb.8 q0, [%[to]], #16\n"
      "letp lr, 1b\n"
      "2:\n"
      : [from] "+r"(from), [to] "+r"(to)
      : [n] "r"(n)
      : "q0", "lr", "cc", "memory");
  return end;
}

/* As tn_mve_copy, of one value. */
static inline int8_t *tn_mve_fill(int8_t *to, int32_t value, int32_t n) {
  int8_t *const end = to + n;
  __asm__ volatile(
      "vdup.8 q0, %[value]\n"
      "wlstp.8 lr, %[n], 2f\n"
      "1: vstrb.8 q0, [%[to]], #16\n"
      "letp lr, 1b\n"
      "2:\n"
      : [to] "+r"(to)
      : [n] "r"(n), [value] "r"(value)
      : "q0", "lr", "cc", "memory");
  return end;
}

#endif

#endif
