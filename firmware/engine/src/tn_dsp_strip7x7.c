#include "tn_dsp_depthwise.h"

#if TN_HAVE_DSP
#include "tn_dsp_strip.h"
TN_DSP_STRIP("tn_dsp_strip7x7", 7, 1, 184);
#else
#include "tn_dsp_strip_c.h"
void tn_dsp_strip7x7(const tn_dsp_strip *s) { tn_dsp_strip_c(s, 7, 1); }
#endif
