#include "tn_mve_depthwise.h"

#if TN_HAVE_MVE

/* A vector has the four columns of two neighbouring windows. q1, q2: weights of the left one for the upper and the
 * lower output row; q3, q4: of the right one. */
#define TN_CHANNEL(constants, requantise)  \
  constants("16")                          \
  "vldrb.8 q1, [%[w]]\n"                   \
  "vmov q3, q1\n"                          \
  "vshl.i32 q2, q1, #8\n"                  \
  "movs r0, #0\n"                          \
  "vshlc q3, r0, #32\n"                    \
  "vshl.i32 q4, q3, #8\n"                  \
  TN_MVE_PASS \
  "1: vldrw.u32 q0, [q7, #128]!\n"         \
  "vmladav.s8 r0, q0, q1\n"                \
  "vmladav.s8 r2, q0, q2\n"                \
  "vmladav.s8 r4, q0, q3\n"                \
  "vmladav.s8 r6, q0, q4\n"                \
  "vmov q0[2], q0[0], r0, r4\n"            \
  "vmov q0[3], q0[1], r2, r6\n"            \
  requantise("q5")

static void channels(tn_mve_strip *s, const int8_t *record) {
  tn_mve_step_back(s, 2 * TN_MVE_COLUMN);
  if (s->is_relu) {
    TN_MVE_CHANNELS("16", TN_CHANNEL(TN_MVE_CHANNEL_RELU, TN_MVE_UNIT_RELU));
  } else {
    TN_MVE_CHANNELS("16", TN_CHANNEL(TN_MVE_CHANNEL_ANY, TN_MVE_UNIT_ANY));
  }
}

void tn_depthwise3x3_mve_s8(const tn_depthwise_mve_params *p, const int8_t *in, int8_t *out, void *scratch) {
  static const tn_mve_windows windows = {channels, 1, 1, 2};
  tn_mve_depthwise(&windows, p, in, out, scratch);
}

#endif
