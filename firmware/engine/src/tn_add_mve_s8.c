#include "tn_binary_mve.h"

#include "tn_mve.h"

#if TN_HAVE_MVE

/* The parameters as words. */
typedef struct {
  int32_t multiplier_a, multiplier_b, multiplier_out, shift_a, shift_b, shift_out, zp_a, zp_b, zp_out, low, high;
  uint32_t elements;
} sum;

/* q0: a, where its factor is 1/2: 2^20 / 2 without rounding. */
#define TN_LOAD_HALF           \
  "vldrb.s32 q0, [%[a]], #4\n" \
  "vadd.i32 q0, q0, %[zp_a]\n" \
  "vshl.i32 q0, q0, #19\n"

/* q0, q1: the operands; rounding as in tn_mve.h. */
#define TN_LOAD_A                          \
  "vldrb.s32 q0, [%[a]], #4\n"             \
  "vadd.i32 q0, q0, %[zp_a]\n"             \
  "vshl.i32 q0, q0, #20\n"                 \
  "vqrdmulh.s32 q0, q0, %[multiplier_a]\n" \
  "vand q2, q0, q3\n"                      \
  "vshr.s32 q2, q2, #31\n"                 \
  "vqadd.s32 q0, q0, q2\n"                 \
  "vrshl.s32 q0, q0, q3\n"

#define TN_LOAD_B                          \
  "vldrb.s32 q1, [%[b]], #4\n"             \
  "vadd.i32 q1, q1, %[zp_b]\n"             \
  "vshl.i32 q1, q1, #20\n"                 \
  "vqrdmulh.s32 q1, q1, %[multiplier_b]\n" \
  "vand q2, q1, q4\n"                      \
  "vshr.s32 q2, q2, #31\n"                 \
  "vqadd.s32 q1, q1, q2\n"                 \
  "vrshl.s32 q1, q1, q4\n"

#define TN_STORE                             \
  "vqrdmulh.s32 q0, q0, %[multiplier_out]\n" \
  "vand q2, q0, q5\n"                        \
  "vshr.s32 q2, q2, #31\n"                   \
  "vqadd.s32 q0, q0, q2\n"                   \
  "vrshl.s32 q0, q0, q5\n"                   \
  "vadd.i32 q0, q0, %[zp_out]\n"             \
  "vmax.s32 q0, q0, q6\n"                    \
  "vmin.s32 q0, q0, q7\n"                    \
  "vstrb.32 q0, [%[out]], #4\n"

/* Four elements at a time. r14, which counts them, holds the vectors' constants before. */
#define TN_ELEMENTS(text)                                                                                       \
  __asm__ volatile(                                                                                             \
      "ldr lr, %[shift_a]\n"                                                                                    \
      "vdup.32 q3, lr\n"                                                                                        \
      "ldr lr, %[shift_b]\n"                                                                                    \
      "vdup.32 q4, lr\n"                                                                                        \
      "ldr lr, %[shift_out]\n"                                                                                  \
      "vdup.32 q5, lr\n"                                                                                        \
      "ldr lr, %[low]\n"                                                                                        \
      "vdup.32 q6, lr\n"                                                                                        \
      "ldr lr, %[high]\n"                                                                                       \
      "vdup.32 q7, lr\n"                                                                                        \
      "ldr lr, %[elements]\n"                                                                                   \
      "dlstp.32 lr, lr\n"                                                                                       \
      "1:\n" text                                                                                               \
      "letp lr, 1b\n"                                                                                           \
      : [a] "+l"(a), [b] "+l"(b), [out] "+l"(out)                                                               \
      : [zp_a] "r"(-s->zp_a), [zp_b] "r"(-s->zp_b), [zp_out] "r"(s->zp_out), [multiplier_a] "r"(s->multiplier_a), \
        [multiplier_b] "r"(s->multiplier_b), [multiplier_out] "r"(s->multiplier_out), [shift_a] "m"(s->shift_a), \
        [shift_b] "m"(s->shift_b), [shift_out] "m"(s->shift_out), [low] "m"(s->low), [high] "m"(s->high),       \
        [elements] "m"(s->elements)                                                                             \
      : "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "lr", "cc", "memory")

static sum words_of(const tn_add_params *p) {
  const sum s = {p->multiplier_a, p->multiplier_b, p->multiplier_out, p->shift_a, p->shift_b, p->shift_out,
                 p->zp_a,         p->zp_b,         p->zp_out,         p->act_min, p->act_max, p->elements};
  return s;
}

static sum swapped(sum s) {
  const sum t = {s.multiplier_b, s.multiplier_a, s.multiplier_out, s.shift_b, s.shift_a, s.shift_out,
                 s.zp_b,         s.zp_a,         s.zp_out,         s.low,     s.high,    s.elements};
  return t;
}

__attribute__((noinline)) static void add(const sum *s, const int8_t *a, const int8_t *b, int8_t *out) {
  TN_ELEMENTS(TN_LOAD_HALF TN_LOAD_B "vadd.i32 q0, q0, q1\n" TN_STORE);
}

__attribute__((noinline)) static void subtract(const sum *s, const int8_t *a, const int8_t *b, int8_t *out) {
  TN_ELEMENTS(TN_LOAD_A TN_LOAD_B "vsub.i32 q0, q0, q1\n" TN_STORE);
}

void tn_add_mve_s8(const tn_add_params *p, const int8_t *a, const int8_t *b, int8_t *out) {
  const sum s = words_of(p), t = swapped(s);
  if (p->elements == 0) return;
  if (p->sign_b < 0) {
    subtract(&s, a, b, out);
  } else if (p->multiplier_a == 1 << 30 && p->shift_a == 0) {
    add(&s, a, b, out);
  } else {
    add(&t, b, a, out);
  }
}

#endif
