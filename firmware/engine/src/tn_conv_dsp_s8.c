#include "tn_conv_dsp.h"
#include "tn_dsp.h"

/* Places in the scratch memory. */
typedef struct {
  tn_dsp_gemm gemm;
  uint32_t *x;      /* expanded inputs of two pixels */
  int8_t *patch[2]; /* their windows, [taps rounded up to 4, and 4 more] */
  int8_t *spare[2]; /* outputs that cannot be written in place: [channels rounded up to 4] */
  int32_t taps, words;
} state;

/* n times the zero point, whole words at a time: may write 3 bytes past the end. */
static int8_t *fill(int8_t *out, int8_t value, int32_t n) {
  for (int32_t i = 0; i < n; i += 4) tn_store4(out + i, 0x01010101u * (uint8_t)value);
  return out + n;
}

static int inside(const tn_conv_params *p, int32_t y, int32_t x) {
  return y >= 0 && x >= 0 && y + p->k_h <= p->in_h && x + p->k_w <= p->in_w;
}

/* k_h rows of n bytes, `line` apart, whole words at a time: may read 3 bytes past each row and write 3 past the end. */
static void gather_rows(const int8_t *x, int32_t line, int32_t k_h, int32_t n, int8_t *out) {
  const int8_t *end = x + n;
  for (; k_h > 0; --k_h, x += line, end += line, out += n) {
    const int8_t *from = x;
    int8_t *to = out;
    do {
      tn_store4(to, tn_load4(from));
      from += 4;
      to += 4;
    } while (from < end);
  }
}

/* The window at (y, x) as one row of taps; out has room for 4 bytes more. */
static void gather(const tn_conv_params *p, const int8_t *in, int32_t y, int32_t x, int8_t *out) {
  const int32_t c = p->in_c, line = p->in_w * c;
  if (inside(p, y, x) && y + p->k_h < p->in_h) {
    gather_rows(in + y * line + x * c, line, p->k_h, p->k_w * c, out);
    return;
  }
  const int32_t left = x < 0 ? -x : 0;
  const int32_t right = x + p->k_w > p->in_w ? x + p->k_w - p->in_w : 0;
  for (int32_t k = 0; k < p->k_h; ++k) {
    const int32_t row = y + k;
    if (row < 0 || row >= p->in_h) {
      out = fill(out, p->in_zp, p->k_w * c);
    } else {
      out = fill(out, p->in_zp, left * c);
      out = tn_dsp_copy(out, in + row * line + (x + left) * c, (p->k_w - left - right) * c);
      out = fill(out, p->in_zp, right * c);
    }
  }
}

/* Top left corner of the window of output pixel i. */
typedef struct {
  int32_t y, x;
} corner;

static corner corner_next(const tn_conv_params *p, corner at) {
  at.x += p->stride_w;
  if (at.x == p->out_w * p->stride_w - p->pad_w) {
    at.x = -p->pad_w;
    at.y += p->stride_h;
  }
  return at;
}

static void expand_two(const tn_conv_params *p, const state *s, const int8_t *in, corner a, corner b) {
  const int32_t c = p->in_c, line = p->in_w * c, row_taps = p->k_w * c;
  if (row_taps % 4 == 0 && inside(p, a.y, a.x) && inside(p, b.y, b.x)) {
    const int8_t *row_a = in + a.y * line + a.x * c, *row_b = in + b.y * line + b.x * c;
    uint32_t *x = s->x;
    for (int32_t k = 0; k < p->k_h; ++k, row_a += line, row_b += line) x = tn_dsp_expand2(x, row_a, row_b, row_taps / 4);
  } else {
    gather(p, in, a.y, a.x, s->patch[0]);
    gather(p, in, b.y, b.x, s->patch[1]);
    tn_dsp_expand2(s->x, s->patch[0], s->patch[1], s->words);
  }
}

static void expand_one(const tn_conv_params *p, const state *s, const int8_t *in, corner a) {
  gather(p, in, a.y, a.x, s->patch[0]);
  tn_dsp_expand1(s->x, s->patch[0], s->words);
}

static state prepare(const tn_conv_params *p, void *scratch) {
  state s;
  const int32_t channels = (p->out_c + 3) / 4 * 4;
  tn_dsp_channel *records = (tn_dsp_channel *)scratch;
  s.taps = (int32_t)p->k_h * p->k_w * p->in_c;
  s.words = (s.taps + 3) / 4;
  s.gemm.weight = p->weight;
  s.gemm.channels = records;
  s.gemm.steps = 2 * s.words;
  s.gemm.blocks = channels / 4;
  s.gemm.is_relu = tn_dsp_is_relu(p->act_min, p->out_zp);
  tn_dsp_channels(p->bias, p->multiplier, p->shift, 0, p->out_c, channels, p->out_zp, records, sizeof *records);
  s.x = (uint32_t *)(void *)(records + channels);
  s.patch[0] = (int8_t *)(s.x + 4 * s.words);
  s.patch[1] = s.patch[0] + 4 * s.words + 4;
  s.spare[0] = s.patch[1] + 4 * s.words + 4;
  s.spare[1] = s.spare[0] + channels;
  return s;
}

void tn_conv_dsp_s8(const tn_conv_params *p, const int8_t *in, int8_t *out, void *scratch) {
  const state s = prepare(p, scratch);
  const int32_t c = p->out_c, pixels = (int32_t)p->out_h * p->out_w;
  const int whole = c % 4 == 0;
  corner a = {-p->pad_h, -p->pad_w};
  for (int32_t i = 0; i < pixels; i += 2) {
    int8_t *out0 = whole ? out : s.spare[0], *out1 = whole ? out + c : s.spare[1];
    const int32_t n = i + 1 < pixels ? 2 * c : c;
    if (n == c) {
      expand_one(p, &s, in, a);
      tn_dsp_gemm1(&s.gemm, s.x, out0);
    } else {
      const corner b = corner_next(p, a);
      expand_two(p, &s, in, a, b);
      tn_dsp_gemm2(&s.gemm, s.x, out0, out1);
      a = corner_next(p, b);
    }
    if (!whole) {
      tn_dsp_copy(out, out0, c);
      if (n > c) tn_dsp_copy(out + c, out1, c);
    }
    tn_dsp_clamp(out, n, p->act_min, p->act_max);
    out += n;
  }
}
