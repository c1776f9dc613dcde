"""Models small enough to write by hand, as the code generator would print them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinynas.engine.generate import Generated

Int8 = NDArray[np.int8]
ARENA_BYTES = 4096
_STEP = 1024  # the second input starts at the next multiple of it after the first, the output one step further

_MODEL = """\
#include "tn_model.h"
static const tn_io inputs[] = {{"x", 0, %(n)d, 1.0f, 0, 2, {1, %(n)d}}, {"y", %(y)d, 1, 1.0f, 0, 1, {1}}};
static const tn_io outputs[] = {{"z", %(z)d, %(n)d, 1.0f / 256.0f, -128, 2, {1, %(n)d}}};
%(before)s
%(invoke)s
const tn_model tn_model_main = {"toy", "00ff", %(arena)d, 2, 2, 1, inputs, outputs, invoke};
"""

_INVOKE = """\
static tn_status invoke(uint8_t *arena, tn_mark mark, void *user) {
  const int8_t *x = (const int8_t *)arena, *y = (const int8_t *)arena + %(y)d;
  int8_t *z = (int8_t *)arena + %(z)d;
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
  (void)mark, (void)user;
  return TN_OK;
}
"""

# 3 instructions before the loop, 2 in each round, 2 after it
_COUNTED = """\
__attribute__((naked)) static tn_status invoke(uint8_t *arena, tn_mark mark, void *user) {
  (void)arena, (void)mark, (void)user;
  __asm volatile(
      ".syntax unified\\n\\tldr r3, =%d\\n\\tnop\\n\\tnop\\n"
      "1: subs r3, #1\\n\\tbne 1b\\n\\tmovs r0, #0\\n\\tbx lr");
}
"""


def toy(n: int = 64, arena: int = ARENA_BYTES, before: str = "", during: str = "") -> Generated:
    """z[i] = x[i] + y[0] + 1, wrapping; `before` stands at file scope, `during` at the end of invoke."""
    return _generated(n, arena, before, _INVOKE % {"n": n, "during": during, **_offsets(n)})


def counted(rounds: int) -> tuple[Generated, int]:
    """A model written in Thumb assembler, and how many instructions its `invoke` executes."""
    return _generated(1, ARENA_BYTES, "", _COUNTED % rounds), 5 + 2 * rounds


def toy_inputs(seed: int, n: int = 64) -> list[Int8]:
    rng = np.random.default_rng(seed)
    return [rng.integers(-128, 128, (1, n), np.int8), rng.integers(-128, 128, (1,), np.int8)]


def toy_output(inputs: list[Int8]) -> Int8:
    x, y = inputs
    z: Int8 = (x.astype(np.int64) + y + 1).astype(np.int8).reshape(-1)
    return z


def _offsets(n: int) -> dict[str, int]:
    y = -(-n // _STEP) * _STEP
    return {"y": y, "z": y + _STEP}


def _generated(n: int, arena: int, before: str, invoke: str) -> Generated:
    text = _MODEL % {"n": n, "arena": arena, "before": before, "invoke": invoke, **_offsets(n)}
    return Generated("main", {"model.c": text.encode()}, (), arena)
