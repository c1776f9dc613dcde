#include "tn_dsp_depthwise.h"

#if TN_HAVE_DSP
#include "tn_dsp_strip.h"
TN_DSP_STRIP("tn_dsp_strip3x3_stride2", 3, 2, 40);
#else
#include "tn_dsp_strip_c.h"
void tn_dsp_strip3x3_stride2(const tn_dsp_strip *s) { tn_dsp_strip_c(s, 3, 2); }
#endif
