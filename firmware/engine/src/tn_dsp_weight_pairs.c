#include "tn_dsp_depthwise.h"

/* k is at least 3 and there are channels: loops that test at their end only take a third less time. */

void tn_dsp_weight_pairs(const int8_t *weight, int32_t n, int32_t channels, int32_t k, int32_t record_words,
                         uint32_t *out) {
  const int32_t half = k / 2;
  const int8_t *const end = weight + n;
  do {
    const int8_t *w = weight;
    uint32_t *pair = out;
    int32_t row = k;
    do {
      int32_t a = *w, i = half;
      do {
        const int32_t b = w[channels];
        w += 2 * channels;
        *pair = tn_pair(a, b);
        a = *w;
        pair[half] = tn_pair(b, a);
        ++pair;
      } while (--i > 0);
      w += channels;
      pair += half;
    } while (--row > 0);
    out += record_words;
  } while (++weight != end);
}

void tn_dsp_weight_pairs_stride2(const int8_t *weight, int32_t n, int32_t channels, int32_t k, int32_t record_words,
                                 uint32_t *out) {
  const int8_t *const end = weight + n;
  do {
    const int8_t *w = weight;
    uint32_t *pair = out;
    int32_t row = k;
    do {
      int32_t i = k / 2;
      do {
        *pair++ = tn_pair(w[0], w[channels]);
        w += 2 * channels;
      } while (--i > 0);
      *pair++ = tn_pair(*w, 0);
      w += channels;
    } while (--row > 0);
    out += record_words;
  } while (++weight != end);
}
