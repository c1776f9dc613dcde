#include "tn_dsp.h"
#include "tn_binary_dsp.h"

/* The operand with the larger scale, `wide`, has the factor 1/2 exactly: (q << 20) / 2 needs no rounding. The other's
 * is rounded as tn_dsp.h says; e = 0 takes no correction of ties, so `ties` masks it. */
void tn_add_dsp_s8(const tn_add_params *p, const int8_t *a, const int8_t *b, int8_t *out) {
  const int a_is_wide = p->multiplier_a == 1 << 30 && p->shift_a == 0;
  const int8_t *wide = a_is_wide ? a : b, *other = a_is_wide ? b : a;
  const int32_t multiplier = a_is_wide ? p->multiplier_b : p->multiplier_a;
  const int32_t e = -(a_is_wide ? p->shift_b : p->shift_a);
  const int32_t zero_wide = (a_is_wide ? p->zp_a : p->zp_b) * (1 << 20);
  const int32_t zero_other = (a_is_wide ? p->zp_b : p->zp_a) * (1 << 21);
  const int32_t half = e > 0 ? 1 << (e - 1) : 0, ties = e > 0 ? -1 : 0;
  const int32_t multiplier_out = p->multiplier_out, e_out = -p->shift_out;
  const int32_t rounding_out = (int32_t)((uint32_t)(2 * p->zp_out + 1) << (e_out - 1));
  for (uint32_t i = 0; i < p->elements; ++i) {
    const int32_t x = other[i] * (1 << 21) - zero_other;
    const int32_t y = (tn_smmlar(x, multiplier, half) + ((x >> 31) & ties)) >> e;
    const int32_t twice = wide[i] * (1 << 20) - zero_wide + y * 2;
    out[i] = (int8_t)tn_ssat8((tn_smmlar(twice, multiplier_out, rounding_out) + (twice >> 31)) >> e_out);
  }
  tn_dsp_clamp(out, (int32_t)p->elements, p->act_min, p->act_max);
}
