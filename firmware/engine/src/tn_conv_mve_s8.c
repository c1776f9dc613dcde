#include "tn_conv_mve.h"

#if TN_HAVE_MVE

typedef struct {
  int32_t y, x;
} corner; /* of a window, top left, in input coordinates */

/* Windows without padding: stretches of `bytes`, `rows` of them, `line` apart, in each of `count` windows. */
typedef struct {
  int32_t bytes, rows, line, count;
  int32_t next_from, next_to; /* from the end of a window to the next one */
} stretches;

/* Stretches of at most 16 bytes, but 16 are written for each. */
static void copy_short(int8_t *to, const int8_t *from, stretches s) {
  __asm__ volatile(
      "vctp.8 %[bytes]\n"
      "1: dls lr, %[rows]\n"
      "2: vpst\n"
      "vldrbt.8 q0, [%[from]]\n"
      "add %[from], %[from], %[line]\n"
      "vstrb.8 q0, [%[to]]\n"
      "add %[to], %[to], %[bytes]\n"
      "le lr, 2b\n"
      "subs %[count], #1\n"
      "add %[from], %[from], %[next_from]\n"
      "add %[to], %[to], %[next_to]\n"
      "bne 1b\n"
      : [to] "+r"(to), [from] "+r"(from), [count] "+r"(s.count)
      : [line] "r"(s.line), [bytes] "r"(s.bytes), [rows] "r"(s.rows), [next_from] "r"(s.next_from),
        [next_to] "r"(s.next_to)
      : "q0", "lr", "cc", "memory");
}

/* Longer stretches, to the byte. */
static void copy_long(int8_t *to, const int8_t *from, stretches s) {
  const int32_t whole = (s.bytes + TN_MVE_LANES - 1) & -TN_MVE_LANES;
  int32_t row;
  __asm__ volatile(
      "1: mov %[row], %[rows]\n"
      "2: dlstp.8 lr, %[bytes]\n"
      "3: vldrb.8 q0, [%[from]], #16\n"
      "vstrb.8 q0, [%[to]], #16\n"
      "letp lr, 3b\n"
      "subs %[row], #1\n"
      "add %[from], %[from], %[next]\n"
      "sub %[to], %[to], %[back]\n"
      "bne 2b\n"
      "subs %[count], #1\n"
      "add %[from], %[from], %[next_from]\n"
      "add %[to], %[to], %[next_to]\n"
      "bne 1b\n"
      : [to] "+r"(to), [from] "+r"(from), [count] "+r"(s.count), [row] "=&r"(row)
      : [bytes] "r"(s.bytes), [rows] "r"(s.rows), [next] "r"(s.line - whole), [back] "r"(whole - s.bytes),
        [next_from] "r"(s.next_from), [next_to] "r"(s.next_to)
      : "q0", "lr", "cc", "memory");
}

/* `count` neighbouring windows, `stride` bytes apart in the scratch memory. */
static void gather_inside(const tn_conv_mve_params *p, const int8_t *from, int32_t count, int8_t *to, int32_t stride) {
  const int32_t bytes = p->k_w * p->in_c, step = p->stride_w * p->in_c, line = p->dilation_h * p->in_w * p->in_c;
  const stretches s = {bytes, p->k_h, line, count, step - p->k_h * line, stride - p->k_h * bytes};
  if (bytes <= TN_MVE_LANES) {
    copy_short(to, from, s);
  } else {
    copy_long(to, from, s);
  }
}

static int32_t between(int32_t low, int32_t x, int32_t high) { return x < low ? low : (x > high ? high : x); }

/* Of a line's taps those inside the image are copied, those to the left and to the right are filled in. */
static void gather_border(const tn_conv_mve_params *p, const int8_t *in, corner at, int8_t *to) {
  const int32_t c = p->in_c, line = p->in_w * c, whole = p->k_w * c;
  const int32_t first = between(0, -at.x, p->k_w), last = between(first, p->in_w - at.x, p->k_w);
  const int32_t left = first * c, middle = (last - first) * c, right = whole - left - middle;
  const int8_t *from = in + at.y * line + at.x * c + left;
  for (int32_t k = 0, y = at.y; k < p->k_h; ++k, y += p->dilation_h, from += p->dilation_h * line) {
    if (y < 0 || y >= p->in_h) {
      to = tn_mve_fill(to, p->in_zp, whole);
      continue;
    }
    if (left) to = tn_mve_fill(to, p->in_zp, left);
    to = tn_mve_copy(to, from, middle);
    if (right) to = tn_mve_fill(to, p->in_zp, right);
  }
}

static void gather_dilated(const tn_conv_mve_params *p, const int8_t *in, corner at, int8_t *to) {
  const int32_t c = p->in_c;
  for (int32_t i = 0, y = at.y; i < p->k_h; ++i, y += p->dilation_h) {
    for (int32_t j = 0, x = at.x; j < p->k_w; ++j, x += p->dilation_w) {
      const int inside = y >= 0 && y < p->in_h && x >= 0 && x < p->in_w;
      to = inside ? tn_mve_copy(to, in + (y * p->in_w + x) * c, c) : tn_mve_fill(to, p->in_zp, c);
    }
  }
}

/* One window, wherever it lies. */
static void gather(const tn_conv_mve_params *p, const int8_t *in, corner at, int8_t *to) {
  if (p->dilation_w == 1) {
    gather_border(p, in, at, to);
  } else {
    gather_dilated(p, in, at, to);
  }
}

/* Columns of the output whose windows have no padding to the left and right: first <= x < last. */
typedef struct {
  int32_t first, last;
} columns;

static columns inside_of(const tn_conv_mve_params *p) {
  const columns none = {0, 0}, some = {(p->pad_w + p->stride_w - 1) / p->stride_w,
                                       (p->in_w - p->k_w + p->pad_w) / p->stride_w + 1};
  if (p->dilation_w != 1 || p->in_w < p->k_w) return none;
  return some;
}

/* Windows gathered so far. */
typedef struct {
  const tn_conv_mve_params *p;
  tn_mve_rows rows;
  int8_t *scratch, *out;
} batch;

static void multiply(batch *b) {
  tn_mve_gemm(&b->p->matrix, b->p->stream, b->rows, b->out);
  b->out += b->rows.count * b->p->matrix.filters;
  b->rows.count = 0;
}

static int32_t lesser(int32_t a, int32_t b) { return a < b ? a : b; }

/* The windows of output row y. */
static void gather_row(batch *b, const int8_t *in, int32_t y, columns inside) {
  const tn_conv_mve_params *p = b->p;
  corner at = {y * p->stride_h - p->pad_h, -p->pad_w};
  const int whole = at.y >= 0 && at.y + (p->k_h - 1) * p->dilation_h < p->in_h;
  for (int32_t x = 0, n; x < p->out_w; x += n, at.x += n * p->stride_w) {
    int8_t *to = b->scratch + b->rows.count * b->rows.stride;
    if (whole && x >= inside.first && x < inside.last) {
      n = lesser(p->batch - b->rows.count, inside.last - x);
      gather_inside(p, in + (at.y * p->in_w + at.x) * p->in_c, n, to, b->rows.stride);
    } else {
      n = 1;
      gather(p, in, at, to);
    }
    b->rows.count += n;
    if (b->rows.count == p->batch) multiply(b);
  }
}

void tn_conv_mve_s8(const tn_conv_mve_params *p, const int8_t *in, int8_t *out, void *scratch) {
  int8_t *const windows = (int8_t *)scratch;
  const tn_mve_rows none = {windows, (p->matrix.n + TN_MVE_LANES - 1) & -TN_MVE_LANES, 0};
  batch b = {p, none, windows, out};
  const columns inside = inside_of(p);
  for (int32_t y = 0; y < p->out_h; ++y) gather_row(&b, in, y, inside);
  if (b.rows.count) multiply(&b);
}

#endif
