/* The few DSP-extension operations the C parts of the *_dsp kernels use, and plain C twins of them, so that these
 * kernels also run (bit for bit, only slower) on cores without the extension and in tests on the host.
 *
 * A "pair" is two int16 in one word, the first in the low half. */
#ifndef TN_SIMD_H
#define TN_SIMD_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
#define TN_HAVE_DSP 1
#else
#define TN_HAVE_DSP 0
#endif

/* Four bytes from any address; the cores with the extension load unaligned words. */
static inline uint32_t tn_load4(const void *p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return v;
}

static inline void tn_store4(void *p, uint32_t v) { memcpy(p, &v, 4); }

static inline int32_t tn_low(uint32_t pair) { return (int16_t)(pair & 0xFFFFu); }

static inline int32_t tn_high(uint32_t pair) { return (int16_t)(pair >> 16); }

static inline uint32_t tn_pair(int32_t low, int32_t high) {
#if TN_HAVE_DSP
  uint32_t r;
  __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(r) : "r"(low), "r"(high));
  return r;
#else
  return ((uint32_t)low & 0xFFFFu) | ((uint32_t)high << 16);
#endif
}

/* Bytes 0 and 2 of x, sign extended. */
static inline uint32_t tn_sxtb16(uint32_t x) {
#if TN_HAVE_DSP
  uint32_t r;
  __asm__("sxtb16 %0, %1" : "=r"(r) : "r"(x));
  return r;
#else
  return tn_pair((int8_t)(x & 0xFFu), (int8_t)((x >> 16) & 0xFFu));
#endif
}

/* Bytes 1 and 3 of x, sign extended. */
static inline uint32_t tn_sxtb16_odd(uint32_t x) {
#if TN_HAVE_DSP
  uint32_t r;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(r) : "r"(x));
  return r;
#else
  return tn_pair((int8_t)((x >> 8) & 0xFFu), (int8_t)(x >> 24));
#endif
}

/* sums + bytes 0 and 2 of x, sign extended; halves wrap. */
static inline uint32_t tn_sxtab16(uint32_t sums, uint32_t x) {
#if TN_HAVE_DSP
  uint32_t r;
  __asm__("sxtab16 %0, %1, %2" : "=r"(r) : "r"(sums), "r"(x));
  return r;
#else
  const uint32_t pair = tn_sxtb16(x);
  return tn_pair(tn_low(sums) + tn_low(pair), tn_high(sums) + tn_high(pair));
#endif
}

/* sums + bytes 1 and 3 of x, sign extended; halves wrap. */
static inline uint32_t tn_sxtab16_odd(uint32_t sums, uint32_t x) {
#if TN_HAVE_DSP
  uint32_t r;
  __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(r) : "r"(sums), "r"(x));
  return r;
#else
  return tn_sxtab16(sums, x >> 8);
#endif
}

/* acc + a.low * b.low + a.high * b.high; wraps. */
static inline int32_t tn_smlad(uint32_t a, uint32_t b, int32_t acc) {
#if TN_HAVE_DSP
  int32_t r;
  __asm__("smlad %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(acc));
  return r;
#else
  return (int32_t)((uint32_t)acc + (uint32_t)(tn_low(a) * tn_low(b)) + (uint32_t)(tn_high(a) * tn_high(b)));
#endif
}

/* acc + (a * b) / 2^32, rounded to nearest, ties up; wraps. */
static inline int32_t tn_smmlar(int32_t a, int32_t b, int32_t acc) {
#if TN_HAVE_DSP
  int32_t r;
  __asm__("smmlar %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(acc));
  return r;
#else
  return (int32_t)((uint32_t)acc + (uint32_t)(((int64_t)a * b + 0x80000000) >> 32));
#endif
}

/* x clamped to int8. */
static inline int32_t tn_ssat8(int32_t x) {
#if TN_HAVE_DSP
  int32_t r;
  __asm__("ssat %0, #8, %1" : "=r"(r) : "r"(x));
  return r;
#else
  return x < -128 ? -128 : (x > 127 ? 127 : x);
#endif
}

#endif
