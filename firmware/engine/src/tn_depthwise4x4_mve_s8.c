#include "tn_mve_depthwise.h"

#if TN_HAVE_MVE

/* The weights stay in q1; a unit is four columns of one row. `step` takes the addresses to the next column. */
#define TN_COLUMN(step, sum) \
  "vldrw.u32 q0, [q7, #" step "]!\n" \
  "vmladav.s8 " sum ", q0, q1\n"

#define TN_CHANNEL(step, row, constants, requantise) \
  constants("16") \
  "vldrb.8 q1, [%[w]]\n" \
  TN_MVE_PASS \
  "1:\n" \
  TN_COLUMN(step, "r0") \
  TN_COLUMN(step, "r2") \
  TN_COLUMN(step, "r4") \
  TN_COLUMN(step, "r6") \
  "vmov q0[2], q0[0], r0, r4\n" \
  "vmov q0[3], q0[1], r2, r6\n" \
  requantise("q5")

static void channels(tn_mve_strip *s, const int8_t *record) {
  tn_mve_step_back(s, s->stride_w * TN_MVE_COLUMN);
  if (s->stride_w == 1 && s->is_relu) {
    TN_MVE_CHANNELS("16", TN_CHANNEL("64", "8", TN_MVE_CHANNEL_RELU, TN_MVE_UNIT_RELU));
  } else if (s->stride_w == 1) {
    TN_MVE_CHANNELS("16", TN_CHANNEL("64", "8", TN_MVE_CHANNEL_ANY, TN_MVE_UNIT_ANY));
  } else if (s->is_relu) {
    TN_MVE_CHANNELS("16", TN_CHANNEL("128", "16", TN_MVE_CHANNEL_RELU, TN_MVE_UNIT_RELU));
  } else {
    TN_MVE_CHANNELS("16", TN_CHANNEL("128", "16", TN_MVE_CHANNEL_ANY, TN_MVE_UNIT_ANY));
  }
}

void tn_depthwise4x4_mve_s8(const tn_depthwise_mve_params *p, const int8_t *in, int8_t *out, void *scratch) {
  static const tn_mve_windows windows = {channels, 1, 1, 1};
  tn_mve_depthwise(&windows, p, in, out, scratch);
}

#endif
