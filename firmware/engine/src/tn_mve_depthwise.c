#include "tn_mve_depthwise.h"

#if TN_HAVE_MVE

static const int32_t CHANNELS = 16;

enum { MOST_PASSES = 3 };

static int32_t record_bytes(const tn_mve_windows *w) { return 16 * w->vectors + 12; }

/* Addresses of the first channel, and what to add to them for the next column or unit. */
typedef struct {
  const int8_t *at[4];
  int32_t step[4];
} four_rows;

typedef struct {
  int8_t *at[4];
  int32_t step[4];
} four_pixels;

typedef struct {
  int8_t *strips;      /* [passes][strips][columns][16][4] */
  int8_t *units;       /* [passes][units][16][4] outputs */
  int8_t *padding;     /* [channels] of in_zp */
  int8_t *nowhere;     /* [channels] for outputs beyond the image */
  int32_t inside;      /* columns of a strip that are not padding */
  int32_t strip_bytes; /* from strip to strip */
  int32_t pass_bytes;  /* from pass to pass */
  tn_mve_strip strip;  /* what is the same for all channels, and where the first ones start */
} places;

/* Channels ch, ... that a step takes. */
typedef struct {
  int32_t ch, lanes;
} some_channels;

/* Columns of four rows, some channels of each, as words. */
__attribute__((noinline)) static void interleave(int8_t *to, const four_rows *rows, int32_t columns, some_channels n) {
  const int8_t *a = rows->at[0] + n.ch, *b = rows->at[1] + n.ch, *c = rows->at[2] + n.ch, *d = rows->at[3] + n.ch;
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
        [columns] "m"(columns), [lanes] "m"(n.lanes)
      : "q0", "q1", "q2", "q3", "lr", "cc", "memory");
}

/* The other way: some channels of four pixels per unit, clamped; what is stored is act_min less. */
__attribute__((noinline)) static void separate(const four_pixels *pixels, const int8_t *from, int32_t units,
                                               some_channels n, const tn_depthwise_mve_params *p) {
  int8_t *a = pixels->at[0] + n.ch, *b = pixels->at[1] + n.ch, *c = pixels->at[2] + n.ch, *d = pixels->at[3] + n.ch;
  const int32_t low = p->act_min, range = p->act_max - low;
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
        [low] "r"(low), [units] "m"(units), [lanes] "m"(n.lanes), [range] "m"(range)
      : "q0", "q1", "q2", "q3", "q7", "lr", "cc", "memory");
}

/* Four input rows from y on. */
static four_rows rows_from(const tn_depthwise_mve_params *p, const places *s, const int8_t *in, int32_t y) {
  four_rows rows;
  for (int32_t i = 0; i < 4; ++i, ++y) {
    const int valid = y >= 0 && y < p->in_h;
    rows.at[i] = valid ? in + y * p->in_w * p->channels : s->padding;
    rows.step[i] = valid ? p->channels : 0;
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
  }
  return pixels;
}

/* What one pass over the width reads and writes. */
typedef struct {
  four_rows rows[2];        /* of each strip */
  four_pixels pixels, last; /* of whole units, and of a last one that is not */
} pass;

/* The loops' view of the strips. A vector's words are four columns of one strip, or two columns of both. */
static tn_mve_strip strip_of(const tn_mve_windows *w, const tn_depthwise_mve_params *p, const places *s, int32_t units) {
  const uint32_t first = (uint32_t)(uintptr_t)s->strips;
  const uint32_t column = TN_MVE_COLUMN, below = (uint32_t)s->strip_bytes;
  const uint32_t second = first + (w->strips == 1 ? column : below), right = w->strips == 1 ? 2 * column : column;
  const int32_t jump = s->pass_bytes - units * (4 / w->rows) * p->stride_w * TN_MVE_COLUMN;
  const tn_mve_strip strip = {{first, second, first + right, second + right}, units, p->out_zp - p->act_min, s->units,
                              p->stream, 0, jump, 0, p->stride_w, p->rounding == TN_MVE_RELU};
  return strip;
}

/* Columns to the left and to the right of the image are padding from the start, and stay so. */
static places divide(const tn_mve_windows *w, const tn_depthwise_mve_params *p, int8_t *scratch) {
  places s;
  const int32_t unit_columns = 4 / w->rows, reach = w->strips == 1 ? 4 : 2 * w->vectors;
  const int32_t units = (p->out_w + unit_columns - 1) / unit_columns;
  const int32_t columns = (units * unit_columns - 1) * p->stride_w + reach, beside = columns - p->pad_w;
  s.inside = beside < p->in_w ? beside : p->in_w;
  s.strip_bytes = columns * TN_MVE_COLUMN;
  s.pass_bytes = w->strips * s.strip_bytes;
  s.strips = scratch;
  s.units = s.strips + p->passes * s.pass_bytes;
  s.padding = s.units + p->passes * units * TN_MVE_COLUMN;
  s.nowhere = s.padding + p->channels;
  tn_mve_fill(s.strips, p->in_zp, p->passes * s.pass_bytes);
  tn_mve_fill(s.padding, p->in_zp, p->channels);
  s.strip = strip_of(w, p, &s, units);
  return s;
}

static void read_pass(const tn_mve_windows *w, const tn_depthwise_mve_params *p, const places *s, const pass *a,
                      int8_t *strips, some_channels n) {
  int8_t *to = strips + p->pad_w * TN_MVE_COLUMN;
  interleave(to, &a->rows[0], s->inside, n);
  if (w->strips == 2) interleave(to + s->strip_bytes, &a->rows[1], s->inside, n);
}

static void write_pass(const tn_mve_windows *w, const tn_depthwise_mve_params *p, const places *s, const pass *a,
                       const int8_t *units, some_channels n) {
  const int32_t whole = p->out_w * w->rows / 4;
  separate(&a->pixels, units, whole, n, p);
  if (whole < s->strip.units) separate(&a->last, units + whole * TN_MVE_COLUMN, 1, n, p);
}

static void all_channels(const tn_mve_windows *w, const tn_depthwise_mve_params *p, const places *s, const pass *a,
                         int32_t passes) {
  const int8_t *record = p->stream;
  for (some_channels n = {0, 0}; n.ch < p->channels; n.ch += CHANNELS) {
    tn_mve_strip strip = s->strip;
    n.lanes = p->channels - n.ch < CHANNELS ? p->channels - n.ch : CHANNELS;
    strip.passes = passes;
    strip.end = record + n.lanes * record_bytes(w);
    for (int32_t i = 0; i < passes; ++i) read_pass(w, p, s, &a[i], s->strips + i * s->pass_bytes, n);
    w->channels(&strip, record);
    for (int32_t i = 0; i < passes; ++i) write_pass(w, p, s, &a[i], s->units + i * strip.units * TN_MVE_COLUMN, n);
    record = strip.end;
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
  const places s = divide(w, p, (int8_t *)scratch);
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
