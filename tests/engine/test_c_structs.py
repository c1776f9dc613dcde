"""Initialisers follow the headers' order of fields, whatever order the packing gave them."""

from __future__ import annotations

import random

import pytest

from tinynas.engine.c_structs import in_declared_order, parse_structs
from tinynas.engine.c_text import Text
from tinynas.plan.kernels import kernels

HEADER = """
typedef struct {
  const int8_t *weight; /* int8 [a][b]; not a field */
  uint16_t in_h, in_w;
  tn_shape shape;
  uint32_t dims[4], other[2];
  int (*call)(int a, void *user);
} tn_thing;
"""


def test_fields_are_read_with_their_types() -> None:
    fields = parse_structs(HEADER)["tn_thing"]
    wanted = {"weight": "int8_t", "in_h": "uint16_t", "in_w": "uint16_t", "shape": "tn_shape", "dims": "uint32_t"}
    assert dict(fields) == wanted | {"other": "uint32_t"}


@pytest.mark.parametrize("struct", sorted({kernel.params for kernel in kernels().values()}))
def test_every_kernel_s_parameters_are_declared_and_sorted(struct: str) -> None:
    names = list(in_declared_order(struct, {}).keys())
    assert names == []
    with pytest.raises(KeyError, match="no_such_field"):
        in_declared_order(struct, {"no_such_field": 0})


def test_nested_structs_are_sorted_too() -> None:
    shape: Text = {"stride_b": (0,), "dims": (1,), "stride_a": (0,)}
    values: dict[str, Text] = {"multiplier": 1, "shape": shape, "act_min": 0, "zp_a": 0}
    shuffled = dict(random.Random(0).sample(list(values.items()), len(values)))
    ordered = in_declared_order("tn_mul_params", shuffled)
    assert list(ordered) == ["shape", "multiplier", "zp_a", "act_min"]
    nested = ordered["shape"]
    assert isinstance(nested, dict)
    assert list(nested) == ["dims", "stride_a", "stride_b"]
