#include "tn_lut_mve.h"

#include "tn_mve.h"

#if TN_HAVE_MVE

/* Sixteen at a time. A gathering load takes unsigned offsets: q + 128 is q with its sign bit flipped. */
void tn_lut_mve_s8(const tn_lut_params *p, const int8_t *in, int8_t *out) {
  __asm__ volatile(
      "vdup.8 q1, %[sign]\n"
      "wlstp.8 lr, %[n], 2f\n"
      "1: vldrb.8 q0, [%[in]], #16\n"
      "veor q0, q0, q1\n"
      "vldrb.u8 q2, [%[table], q0]\n"
      "vstrb.8 q2, [%[out]], #16\n"
      "letp lr, 1b\n"
      "2:\n"
      : [in] "+l"(in), [out] "+l"(out)
      : [n] "r"(p->elements), [table] "r"(p->table), [sign] "r"(0x80)
      : "q0", "q1", "q2", "lr", "cc", "memory");
}

#endif
