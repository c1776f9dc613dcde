#include "tn_conv_mve.h"

#if TN_HAVE_MVE

typedef struct {
  int32_t y, x;
} corner; /* of a window, top left, in input coordinates */

/* `rows` stretches of at most 16 bytes, `line` apart, end to end. Writes 16 bytes for each. */
static void copy_short(int8_t *to, const int8_t *from, int32_t line, int32_t bytes, int32_t rows) {
  __asm__ volatile(
      "vctp.8 %[bytes]\n"
      "dls lr, %[rows]\n"
      "1: vpst\n"
      "vldrbt.8 q0, [%[from]]\n"
      "add %[from], %[from], %[line]\n"
      "vstrb.8 q0, [%[to]]\n"
      "add %[to], %[to], %[bytes]\n"
      "le lr, 1b\n"
      : [to] "+r"(to), [from] "+r"(from)
      : [line] "r"(line), [bytes] "r"(bytes), [rows] "r"(rows)
      : "q0", "lr", "cc", "memory");
}

static void gather_inside(const tn_conv_mve_params *p, const int8_t *in, corner at, int8_t *to) {
  const int32_t line = p->in_w * p->in_c, bytes = p->k_w * p->in_c;
  const int8_t *from = in + at.y * line + at.x * p->in_c;
  if (bytes <= TN_MVE_LANES) {
    copy_short(to, from, p->dilation_h * line, bytes, p->k_h);
    return;
  }
  for (int32_t k = 0; k < p->k_h; ++k, from += p->dilation_h * line) to = tn_mve_copy(to, from, bytes);
}

static int32_t between(int32_t low, int32_t x, int32_t high) { return x < low ? low : (x > high ? high : x); }

/* Of a line's taps those inside the image are copied, those to the left and to the right are filled in. */
static void gather_border(const tn_conv_mve_params *p, const int8_t *in, corner at, int8_t *to) {
  const int32_t c = p->in_c;
  const int32_t first = between(0, -at.x, p->k_w), last = between(first, p->in_w - at.x, p->k_w);
  for (int32_t k = 0, y = at.y; k < p->k_h; ++k, y += p->dilation_h) {
    if (y < 0 || y >= p->in_h) {
      to = tn_mve_fill(to, p->in_zp, p->k_w * c);
    } else {
      to = tn_mve_fill(to, p->in_zp, first * c);
      to = tn_mve_copy(to, in + (y * p->in_w + at.x + first) * c, (last - first) * c);
      to = tn_mve_fill(to, p->in_zp, (p->k_w - last) * c);
    }
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

static void gather(const tn_conv_mve_params *p, const int8_t *in, corner at, int8_t *to) {
  const int32_t bottom = at.y + (p->k_h - 1) * p->dilation_h;
  if (p->dilation_w != 1) {
    gather_dilated(p, in, at, to);
  } else if (at.y >= 0 && at.x >= 0 && bottom < p->in_h && at.x + p->k_w <= p->in_w) {
    gather_inside(p, in, at, to);
  } else {
    gather_border(p, in, at, to);
  }
}

static corner after(const tn_conv_mve_params *p, corner at) {
  at.x += p->stride_w;
  if (at.x == p->out_w * p->stride_w - p->pad_w) {
    at.x = -p->pad_w;
    at.y += p->stride_h;
  }
  return at;
}

void tn_conv_mve_s8(const tn_conv_mve_params *p, const int8_t *in, int8_t *out, void *scratch) {
  tn_mve_rows rows = {scratch, (p->matrix.n + TN_MVE_LANES - 1) & -TN_MVE_LANES, p->batch};
  corner at = {-p->pad_h, -p->pad_w};
  for (int32_t left = (int32_t)p->out_h * p->out_w; left > 0; left -= rows.count) {
    int8_t *to = scratch;
    if (left < rows.count) rows.count = left;
    for (int32_t i = 0; i < rows.count; ++i, to += rows.stride, at = after(p, at)) gather(p, in, at, to);
    tn_mve_gemm(&p->matrix, p->stream, rows, out);
    out += rows.count * p->matrix.filters;
  }
}

#endif
