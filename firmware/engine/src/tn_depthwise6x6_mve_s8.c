#include "tn_mve_depthwise.h"

#if TN_HAVE_MVE

/* q1, q2, q3: weights of the upper output row, q4, q5, q6: of the lower one, `row` bits further down in the columns. */
#define TN_COLUMN(step, upper, lower) \
  "vldrw.u32 q0, [q7, #" step "]!\n" \
  "vmladav.s8 " upper ", q0, q1\n" \
  "vmladav.s8 " lower ", q0, q4\n" \
  "vldrw.u32 q0, [q7, #128]\n" \
  "vmladava.s8 " upper ", q0, q2\n" \
  "vmladava.s8 " lower ", q0, q5\n" \
  "vldrw.u32 q0, [q7, #256]\n" \
  "vmladava.s8 " upper ", q0, q3\n" \
  "vmladava.s8 " lower ", q0, q6\n"

#define TN_CHANNEL(step, row, constants, requantise) \
  constants("48") \
  "vldrb.8 q2, [%[w], #16]\n" \
  "vldrb.8 q3, [%[w], #32]\n" \
  "vldrb.8 q4, [%[w]]\n" \
  "vmov q5, q2\n" \
  "vmov q6, q3\n" \
  "movs r0, #0\n" \
  "vshlc q4, r0, #" row "\n" \
  "movs r0, #0\n" \
  "vshlc q5, r0, #" row "\n" \
  "movs r0, #0\n" \
  "vshlc q6, r0, #" row "\n" \
  TN_MVE_PASS \
  "1: vldrb.8 q1, [%[w]]\n" /* again for each unit: a free vector is needed meanwhile */ \
  TN_COLUMN(step, "r0", "r2") \
  TN_COLUMN(step, "r4", "r6") \
  "vmov q0[2], q0[0], r0, r4\n" \
  "vmov q0[3], q0[1], r2, r6\n" \
  requantise("q1")

static void channels(tn_mve_strip *s, const int8_t *record) {
  tn_mve_step_back(s, s->stride_w * TN_MVE_COLUMN);
  if (s->stride_w == 1 && s->is_relu) {
    TN_MVE_CHANNELS("48", TN_CHANNEL("64", "8", TN_MVE_CHANNEL_RELU, TN_MVE_UNIT_RELU));
  } else if (s->stride_w == 1) {
    TN_MVE_CHANNELS("48", TN_CHANNEL("64", "8", TN_MVE_CHANNEL_ANY, TN_MVE_UNIT_ANY));
  } else if (s->is_relu) {
    TN_MVE_CHANNELS("48", TN_CHANNEL("128", "16", TN_MVE_CHANNEL_RELU, TN_MVE_UNIT_RELU));
  } else {
    TN_MVE_CHANNELS("48", TN_CHANNEL("128", "16", TN_MVE_CHANNEL_ANY, TN_MVE_UNIT_ANY));
  }
}

void tn_depthwise6x6_mve_s8(const tn_depthwise_mve_params *p, const int8_t *in, int8_t *out, void *scratch) {
  static const tn_mve_windows windows = {channels, 2, 3, 2};
  tn_mve_depthwise(&windows, p, in, out, scratch);
}

#endif
