#include "tn_dsp_depthwise.h"

#if TN_HAVE_DSP
#include "tn_dsp_strip.h"
TN_DSP_STRIP("tn_dsp_strip5x5", 5, 1, 96);
#else
#include "tn_dsp_strip_c.h"
void tn_dsp_strip5x5(const tn_dsp_strip *s) { tn_dsp_strip_c(s, 5, 1); }
#endif
