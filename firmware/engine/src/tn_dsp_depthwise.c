#include "tn_dsp_depthwise.h"

/* Sizes that follow from the parameters; 3x3 with stride 1 has two input rows interleaved. */
typedef struct {
  int32_t k, stride, interleaved;
  int32_t words;        /* of a channel in an input row */
  int32_t row_words;    /* of a kernel row in a record */
  int32_t record_words; /* with tn_dsp_channel */
  int32_t lines;        /* output rows of a strip */
  int32_t slots;        /* input rows of a strip */
  int32_t step, odd;    /* words between pairs, and from an even slot to the odd one after it */
} geometry;

/* Tall strips read fewer input rows twice (hardly any with stride 2); but the output must start a strip before the
 * input if it may overlap it. Small maps are never where a network needs most memory. */
static int32_t strip_lines(const tn_depthwise_params *p) {
  const int32_t step = p->k_h - 1, line = p->out_w * p->in_c;
  int32_t lines = step;
  if (p->in_h * p->in_w * p->in_c <= 6144) return p->out_h;
  if (p->stride_h > 1) return lines;
  while (lines < p->out_h && (lines + step + p->pad_h) * line <= 2048) lines += step;
  return lines;
}

static geometry geometry_of(const tn_depthwise_params *p) {
  geometry g;
  g.k = p->k_h;
  g.stride = p->stride_h;
  g.interleaved = g.k == 3 && g.stride == 1;
  g.words = (p->out_w + 1) / 2 * g.stride + g.k / 2;
  g.row_words = g.stride == 1 ? g.k - 1 : g.k / 2 + 1;
  g.record_words = g.k * g.row_words + 4;
  g.lines = strip_lines(p);
  g.slots = (g.lines - 1) * g.stride + g.k;
  g.step = g.interleaved ? 2 : 1;
  g.odd = g.interleaved ? 1 : 4 * g.words;
  return g;
}

/* Records of n channels from `first` on. */
static void records(const tn_depthwise_params *p, const geometry *g, int32_t first, int32_t n, uint32_t *out) {
  const int32_t weights = g->k * g->row_words, step = 4 * g->record_words;
  tn_dsp_channels(p->bias + first, p->multiplier + first, p->shift + first, 0, n, n, p->out_zp,
                  out + (g->interleaved ? 0 : weights), step);
  (g->stride == 1 ? tn_dsp_weight_pairs : tn_dsp_weight_pairs_stride2)(p->weight + first, n, p->in_c, g->k,
                                                                      g->record_words, out + (g->interleaved ? 4 : 0));
}

/* Where slot i of the rows starts; a row of four channels takes 4 * words. */
static uint32_t *slot(const geometry *g, uint32_t *rows, int32_t i) {
  return rows + i / 2 * 8 * g->words + i % 2 * g->odd;
}

/* n pairs of padding. */
static void clear(uint32_t *out, int32_t n, int32_t step, int32_t in_zp) {
  for (; n > 0; --n, out += step) *out = tn_pair(in_zp, in_zp);
}

static tn_dsp_columns columns_of(const tn_depthwise_params *p, const geometry *g) {
  const int32_t first = p->pad_w / 2, last = (p->in_w + p->pad_w) / 2; /* pairs from first on have a column inside */
  tn_dsp_columns c;
  c.pixel = p->in_c;
  c.plane = g->words * g->step * 4;
  c.left = p->pad_w % 2;
  c.inner = (last < g->words ? last : g->words) - first - c.left;
  c.right = (p->in_w + p->pad_w) % 2 != 0 && last < g->words;
  c.zero4 = 0x01010101u * (uint8_t)p->in_zp;
  return c;
}

/* Rows y .. of four channels; in: channel of pixel 0. Padding is in place. */
static void spread_rows(const tn_depthwise_params *p, const geometry *g, const tn_dsp_columns *c, const int8_t *in,
                        int32_t y, int32_t n, uint32_t *rows) {
  const int32_t line = p->in_w * p->in_c, first = p->pad_w / 2;
  const int32_t from = y < 0 ? -y : 0, to = p->in_h - y < n ? p->in_h - y : n;
  const int8_t *x = in + (y + from) * line;
  for (int32_t i = from; i < to; ++i, x += line) {
    (g->interleaved ? tn_dsp_spread8 : tn_dsp_spread4)(c, x, slot(g, rows, i) + g->step * first);
  }
}

void tn_dsp_depthwise(const tn_depthwise_params *p, const int8_t *in, int8_t *out, void *scratch,
                      tn_dsp_strip_loop *loop) {
  const geometry g = geometry_of(p);
  const tn_dsp_columns columns = columns_of(p, &g);
  const int32_t c = p->in_c, line = p->out_w * c;
  const int few = c * g.record_words > 2048; /* large records are made anew for every strip, four at a time */
  uint32_t *const made = (uint32_t *)scratch, *const rows = made + (few ? 4 : c) * g.record_words;
  tn_dsp_strip strip = {(const uint32_t *)scratch, rows, out, c, line, 0, 0, p->out_w / 2, p->out_w % 2, 0};
  strip.in_line = 16 * g.words * g.step;
  strip.is_relu = tn_dsp_is_relu(p->act_min, p->out_zp);
  if (!few) records(p, &g, 0, c, made);
  clear(rows, 4 * g.words * (g.interleaved ? g.slots + g.slots % 2 : g.slots), 1, p->in_zp);
  for (int32_t oy = 0; oy < p->out_h; oy += g.lines, out += g.lines * line) {
    const int32_t y = oy * g.stride - p->pad_h;
    strip.lines = p->out_h - oy < g.lines ? p->out_h - oy : g.lines;
    for (int32_t i = p->in_h - y > 0 ? p->in_h - y : 0; i < g.slots; ++i) {
      clear(slot(&g, rows, i), 4 * g.words, g.step, p->in_zp);
    }
    for (int32_t next = 4; next < c + 4; next += 4) {
      const int32_t ch = (next < c ? next : c) - 4; /* the last four overlap the ones before, if c is no multiple of 4 */
      spread_rows(p, &g, &columns, in + ch, y, (strip.lines - 1) * g.stride + g.k, rows);
      if (few) records(p, &g, ch, 4, made);
      strip.records = few ? made : made + ch * g.record_words;
      strip.out = out + ch;
      loop(&strip);
    }
    tn_dsp_clamp(out, strip.lines * line, p->act_min, p->act_max);
  }
}
