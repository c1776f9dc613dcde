#include "tn_pad.h"

static int8_t *fill(int8_t *out, int8_t value, uint32_t n) {
  while (n-- > 0) *out++ = value;
  return out;
}

typedef struct {
  const int8_t *in;
  int8_t *out;
} cursor;

static void pad_axis(const tn_pad_params *p, int axis, const uint32_t size[5], cursor *at) {
  at->out = fill(at->out, p->value, p->before[axis] * size[axis + 1]);
  if (axis == 3) {
    for (uint32_t i = 0; i < p->in[3]; ++i) *at->out++ = *at->in++;
  } else {
    for (uint32_t i = 0; i < p->in[axis]; ++i) pad_axis(p, axis + 1, size, at);
  }
  at->out = fill(at->out, p->value, p->after[axis] * size[axis + 1]);
}

void tn_pad_s8(const tn_pad_params *p, const int8_t *in, int8_t *out) {
  uint32_t size[5] = {0, 0, 0, 0, 1}; /* elements of the output inside one step along an axis */
  cursor at;
  for (int axis = 3; axis > 0; --axis) {
    size[axis] = size[axis + 1] * ((uint32_t)p->in[axis] + p->before[axis] + p->after[axis]);
  }
  at.in = in;
  at.out = out;
  pad_axis(p, 0, size, &at);
}
