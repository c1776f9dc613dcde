"""A model small enough to write by hand: out[i] = in[i] + in2[0] + 1 in a loop whose length is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinynas.engine.generate import Generated

Int8 = NDArray[np.int8]

_MODEL = """
#include "tn_model.h"
static const tn_io inputs[] = {{"x", 0, %(n)d, 1.0f / 255.0f, -128, 2, {1, %(n)d}}, {"y", 1024, 1, 1.0f, 0, 1, {1}}};
static const tn_io outputs[] = {{"z", %(out)d, %(n)d, 1.0f / 256.0f, -128, 2, {1, %(n)d}}};

%(before)s

static tn_status invoke(uint8_t *arena, tn_mark mark, void *user) {
  const int8_t *x = (const int8_t *)arena, *y = (const int8_t *)arena + 1024;
  int8_t *z = (int8_t *)arena + %(out)d;
#ifdef TN_PROFILE
  mark(0, user);
#endif
  for (int i = 0; i < %(n)d; i++) {
    z[i] = (int8_t)(x[i] + y[0] + 1);
    __asm volatile("" ::: "memory");
  }
#ifdef TN_PROFILE
  mark(1, user);
#endif
  %(during)s
  (void)mark; (void)user;
  return TN_OK;
}

const tn_model tn_model_main = {"toy", "00ff", %(arena)d, 2, 2, 1, inputs, outputs, invoke};
"""


def toy(n: int = 64, out: int = 2048, arena: int = 4096, before: str = "", during: str = "") -> Generated:
    """The toy model: `n` elements; `before` stands at file scope, `during` at the end of invoke."""
    fill = {"n": n, "out": out, "arena": arena, "before": before, "during": during}
    return Generated("main", {"model.c": (_MODEL % fill).encode()}, (), arena)


def toy_inputs(seed: int, n: int = 64) -> list[Int8]:
    rng = np.random.default_rng(seed)
    return [rng.integers(-128, 128, (1, n), np.int8), rng.integers(-128, 128, (1,), np.int8)]


def toy_output(inputs: list[Int8]) -> Int8:
    return (inputs[0] + inputs[1] + np.int8(1)).astype(np.int8)
