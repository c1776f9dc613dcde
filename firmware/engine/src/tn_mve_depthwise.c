#include "tn_mve_depthwise.h"

#if TN_HAVE_MVE

enum { CHANNELS = 16, MOST_PASSES = 4 };

static int32_t record_bytes(const tn_mve_windows *w) { return 16 * w->vectors + 12; }

/* Addresses, what to add to them for the next column or unit, and for the next channels. */
typedef struct {
  const int8_t *at[4];
  int32_t step[4], group[4];
} four_rows;

typedef struct {
  int8_t *at[4];
  int32_t step[4], group[4];
} four_pixels;

typedef struct {
  int8_t *strips;      /* [passes][strips][columns][16][4] */
  int8_t *units;       /* [passes][units][16][4] outputs */
  int8_t *padding;     /* [16] of in_zp */
  int8_t *nowhere;     /* [16] for outputs beyond the image */
  int32_t inside;      /* columns of a strip that are not padding */
  int32_t strip_bytes; /* from strip to strip */
  int32_t pass_bytes;  /* from pass to pass */
  int32_t count;       /* units of a pass */
} places;

/* Columns of four rows, `lanes` channels of each, as words. */
__attribute__((noinline)) static void interleave(int8_t *to, const four_rows *rows, int32_t columns, int32_t lanes) {
  const int8_t *a = rows->at[0], *b = rows->at[1], *c = rows->at[2], *d = rows->at[3];
  if (columns == 0) return;
  __asm__ volatile(
      "ldr lr, %[lanes]\n"
      "vctp.8 lr\n"
      "ldr lr, %[columns]\n"
      "dls lr, lr\n"
      "1: vpstttt\n"
      "vldrbt.8 q0, [%[a]]\n"
      "vldrbt.8 q1, [%[b]]\n"
      "vldrbt.8 q2, [%[c]]\n"
      "vldrbt.8 q3, [%[d]]\n"
      "add %[a], %[a], %[sa]\n"
      "add %[b], %[b], %[sb]\n"
      "add %[c], %[c], %[sc]\n"
      "add %[d], %[d], %[sd]\n"
      "vst40.8 {q0, q1, q2, q3}, [%[to]]\n"
      "vst41.8 {q0, q1, q2, q3}, [%[to]]\n"
      "vst42.8 {q0, q1, q2, q3}, [%[to]]\n"
      "vst43.8 {q0, q1, q2, q3}, [%[to]]!\n"
      "le lr, 1b\n"
      : [to] "+r"(to), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d)
      : [sa] "r"(rows->step[0]), [sb] "r"(rows->step[1]), [sc] "r"(rows->step[2]), [sd] "r"(rows->step[3]),
        [columns] "m"(columns), [lanes] "m"(lanes)
      : "q0", "q1", "q2", "q3", "lr", "cc", "memory");
}

/* The other way: `lanes` channels of four pixels per unit, clamped; what is stored is `low` less. */
__attribute__((noinline)) static void separate(const four_pixels *pixels, const int8_t *from, int32_t units, int32_t lanes, int32_t low, int32_t high) {
  int8_t *a = pixels->at[0], *b = pixels->at[1], *c = pixels->at[2], *d = pixels->at[3];
  const int32_t range = high - low;
  if (units == 0) return;
  __asm__ volatile(
      "ldr lr, %[range]\n"
      "vdup.8 q7, lr\n"
      "ldr lr, %[lanes]\n"
      "vctp.8 lr\n"
      "ldr lr, %[units]\n"
      "dls lr, lr\n"
      "1: vld40.8 {q0, q1, q2, q3}, [%[from]]\n"
      "vld41.8 {q0, q1, q2, q3}, [%[from]]\n"
      "vld42.8 {q0, q1, q2, q3}, [%[from]]\n"
      "vld43.8 {q0, q1, q2, q3}, [%[from]]!\n"
      "vmin.u8 q0, q0, q7\n"
      "vmin.u8 q1, q1, q7\n"
      "vmin.u8 q2, q2, q7\n"
      "vmin.u8 q3, q3, q7\n"
      "vadd.i8 q0, q0, %[low]\n"
      "vadd.i8 q1, q1, %[low]\n"
      "vadd.i8 q2, q2, %[low]\n"
      "vadd.i8 q3, q3, %[low]\n"
      "vpstttt\n"
      "vstrbt.8 q0, [%[a]]\n"
      "vstrbt.8 q1, [%[b]]\n"
      "vstrbt.8 q2, [%[c]]\n"
      "vstrbt.8 q3, [%[d]]\n"
      "add %[a], %[a], %[sa]\n"
      "add %[b], %[b], %[sb]\n"
      "add %[c], %[c], %[sc]\n"
      "add %[d], %[d], %[sd]\n"
      "le lr, 1b\n"
      : [from] "+r"(from), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d)
      : [sa] "r"(pixels->step[0]), [sb] "r"(pixels->step[1]), [sc] "r"(pixels->step[2]), [sd] "r"(pixels->step[3]),
        [low] "r"(low), [units] "m"(units), [lanes] "m"(lanes), [range] "m"(range)
      : "q0", "q1", "q2", "q3", "q7", "lr", "cc", "memory");
}

/* Four input rows from y on. */
static four_rows rows_from(const tn_depthwise_mve_params *p, const places *s, const int8_t *in, int32_t y) {
  four_rows rows;
  for (int32_t i = 0; i < 4; ++i, ++y) {
    const int valid = y >= 0 && y < p->in_h;
    rows.at[i] = valid ? in + y * p->in_w * p->channels : s->padding;
    rows.step[i] = valid ? p->channels : 0;
    rows.group[i] = valid ? CHANNELS : 0;
  }
  return rows;
}

/* Pixels of the unit at column x, and of those to its right. What lies beyond the image goes nowhere. */
static four_pixels pixels_from(const tn_mve_windows *w, const tn_depthwise_mve_params *p, const places *s, int8_t *out,
                               int32_t y, int32_t x) {
  const int32_t lower = w->rows - 1; /* 1 if every second of the four lies in the next row */
  four_pixels pixels;
  for (int32_t i = 0; i < 4; ++i) {
    const int32_t down = i & lower, right = x + (i >> lower);
    const int valid = y + down < p->out_h && right < p->out_w;
    pixels.at[i] = valid ? out + (down * p->out_w + right) * p->channels : s->nowhere;
    pixels.step[i] = valid ? (4 >> lower) * p->channels : 0;
    pixels.group[i] = valid ? CHANNELS : 0;
  }
  return pixels;
}

/* What one pass over the width reads and writes. */
typedef struct {
  four_rows rows[2];        /* of each strip */
  four_pixels pixels, last; /* of whole units, and of a last one that is not */
} pass;

static void next_channels(pass *a, int32_t strips) {
  for (int32_t i = 0; i < 4; ++i) {
    for (int32_t k = 0; k < strips; ++k) a->rows[k].at[i] += a->rows[k].group[i];
    a->pixels.at[i] += a->pixels.group[i];
    a->last.at[i] += a->last.group[i];
  }
}

/* Columns to the left and to the right of the image are padding from the start, and stay so. */
static places divide(const tn_mve_windows *w, const tn_depthwise_mve_params *p, int8_t *scratch) {
  places s;
  const int32_t unit_columns = 4 / w->rows, reach = w->strips == 1 ? 4 : 2 * w->vectors;
  s.count = (p->out_w + unit_columns - 1) / unit_columns;
  const int32_t columns = (s.count * unit_columns - 1) * p->stride_w + reach, beside = columns - p->pad_w;
  s.inside = beside < p->in_w ? beside : p->in_w;
  s.strip_bytes = columns * TN_MVE_COLUMN;
  s.pass_bytes = w->strips * s.strip_bytes;
  s.strips = scratch;
  s.units = s.strips + p->passes * s.pass_bytes;
  s.padding = s.units + p->passes * s.count * TN_MVE_COLUMN;
  s.nowhere = s.padding + CHANNELS;
  tn_mve_fill(s.strips, p->in_zp, p->passes * s.pass_bytes);
  tn_mve_fill(s.padding, p->in_zp, CHANNELS);
  return s;
}

/* `lanes` channels, from strips to units. A vector's words are four columns of one strip, or two columns of both. */
static void compute(const tn_mve_windows *w, const tn_depthwise_mve_params *p, const places *s, int32_t passes,
                    int32_t lanes, const int8_t *record) {
  const uint32_t first = (uint32_t)(uintptr_t)s->strips;
  const uint32_t second = first + (w->strips == 1 ? TN_MVE_COLUMN : (uint32_t)s->strip_bytes);
  const uint32_t right = w->strips == 1 ? 2 * TN_MVE_COLUMN : TN_MVE_COLUMN;
  tn_mve_strip strip;
  strip.words[0] = first;
  strip.words[1] = second;
  strip.words[2] = first + right;
  strip.words[3] = second + right;
  strip.units = s->count;
  strip.out_zp = p->out_zp - p->act_min;
  strip.out = s->units;
  strip.end = record + lanes * record_bytes(w);
  strip.passes = passes;
  strip.jump = s->pass_bytes - s->count * (4 / w->rows) * p->stride_w * TN_MVE_COLUMN;
  strip.stride_w = p->stride_w;
  strip.is_relu = p->rounding == TN_MVE_RELU;
  w->channels(&strip, record);
}

static void read_pass(const tn_mve_windows *w, const tn_depthwise_mve_params *p, const places *s, const pass *a,
                      int8_t *strips, int32_t lanes) {
  int8_t *to = strips + p->pad_w * TN_MVE_COLUMN;
  for (int32_t i = 0; i < w->strips; ++i) interleave(to + i * s->strip_bytes, &a->rows[i], s->inside, lanes);
}

static void write_pass(const tn_mve_windows *w, const tn_depthwise_mve_params *p, const places *s, const pass *a,
                       const int8_t *units, int32_t lanes) {
  const int32_t whole = p->out_w * w->rows / 4;
  separate(&a->pixels, units, whole, lanes, p->act_min, p->act_max);
  separate(&a->last, units + whole * TN_MVE_COLUMN, s->count - whole, lanes, p->act_min, p->act_max);
}

static void all_channels(const tn_mve_windows *w, const tn_depthwise_mve_params *p, const places *s, pass *a,
                         int32_t passes) {
  const int8_t *record = p->stream;
  for (int32_t ch = 0; ch < p->channels; ch += CHANNELS, record += CHANNELS * record_bytes(w)) {
    const int32_t lanes = p->channels - ch < CHANNELS ? p->channels - ch : CHANNELS;
    for (int32_t i = 0; i < passes; ++i) read_pass(w, p, s, &a[i], s->strips + i * s->pass_bytes, lanes);
    compute(w, p, s, passes, lanes, record);
    for (int32_t i = 0; i < passes; ++i) {
      write_pass(w, p, s, &a[i], s->units + i * s->count * TN_MVE_COLUMN, lanes);
      next_channels(&a[i], w->strips);
    }
  }
}

static void find_rows(const tn_mve_windows *w, const tn_depthwise_mve_params *p, const places *s, const int8_t *in,
                      int8_t *out, int32_t y, pass *a) {
  const int32_t top = y * p->stride_h - p->pad_h, unit_columns = 4 / w->rows;
  for (int32_t i = 0; i < w->strips; ++i) a->rows[i] = rows_from(p, s, in, top + 4 * i);
  a->pixels = pixels_from(w, p, s, out, y, 0);
  a->last = pixels_from(w, p, s, out, y, p->out_w / unit_columns * unit_columns);
}

void tn_mve_depthwise(const tn_mve_windows *w, const tn_depthwise_mve_params *p, const int8_t *in, int8_t *out,
                      void *scratch) {
  const places s = divide(w, p, scratch);
  int32_t y = 0;
  while (y < p->out_h) {
    pass a[MOST_PASSES];
    int32_t passes = 0;
    for (; passes < p->passes && y < p->out_h; ++passes, y += w->rows) {
      find_rows(w, p, &s, in, out, y, &a[passes]);
      out += w->rows * p->out_w * p->channels;
    }
    all_channels(w, p, &s, a, passes);
  }
}

#endif
