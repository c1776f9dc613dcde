"""Ops that would need rescaling are refused, as TFLite's kernels refuse or silently mistake them."""

from __future__ import annotations

import pytest

from tinynas.errors import ModelError
from tinynas.graph.ir import DType, Graph, Op, Quant, Tensor
from tinynas.graph.ops import Attrs, Concatenation, Padding, Pool2D
from tinynas.lab.board import Core
from tinynas.plan.planner import plan

SHAPE = (1, 4, 4, 2)
JOINED = (1, 4, 4, 4)


def graph(kind: str, attrs: Attrs, inputs: int, out_shape: tuple[int, ...], out_scale: float) -> Graph:
    operands = [Tensor(f"x{i}", SHAPE, DType.INT8, Quant.per_tensor(0.5, 3)) for i in range(inputs)]
    result = Tensor("y", out_shape, DType.INT8, Quant.per_tensor(out_scale, 3))
    op = Op(kind, tuple(range(inputs)), (inputs,), attrs)
    return Graph((*operands, result), (op,), tuple(range(inputs)), (inputs,))


@pytest.mark.parametrize(
    ("kind", "attrs", "inputs", "out_shape"),
    [
        ("CONCATENATION", Concatenation(axis=3), 2, JOINED),
        ("MAX_POOL_2D", Pool2D(1, 1, 1, 1, Padding.VALID), 1, SHAPE),
        ("MAXIMUM", Concatenation(), 2, SHAPE),
    ],
)
def test_unequal_scales_are_refused_and_equal_ones_planned(
    kind: str, attrs: Attrs, inputs: int, out_shape: tuple[int, ...]
) -> None:
    assert plan(graph(kind, attrs, inputs, out_shape, 0.5), Core.M4).steps
    with pytest.raises(ModelError, match=f"{kind}.*differ in scale"):
        plan(graph(kind, attrs, inputs, out_shape, 0.25), Core.M4)
