"""The one path from a file's graph to the graph that is planned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.engine.cases import Net
from tests.engine.test_generate import two_ops
from tinynas.engine.host import HostModel
from tinynas.errors import ModelError
from tinynas.graph import ops
from tinynas.graph.compare import first_difference
from tinynas.graph.ir import DType, Graph, Op, Tensor
from tinynas.plan.prepare import prepare
from tinynas.quantize.seeded import seeded_inputs


def with_float_ends(graph: Graph) -> Graph:
    """QUANTIZE before the first op, DEQUANTIZE after the last."""
    ends = [
        Tensor(name, graph.tensors[i].shape, DType.FLOAT32)
        for name, i in (("x", graph.inputs[0]), ("y", graph.outputs[0]))
    ]
    x, y = len(graph.tensors), len(graph.tensors) + 1
    quantize = Op("QUANTIZE", (x,), graph.inputs, ops.NoAttrs())
    dequantize = Op("DEQUANTIZE", graph.outputs, (y,), ops.NoAttrs())
    return replace(
        graph,
        tensors=(*graph.tensors, *ends),
        ops=(quantize, *graph.ops, dequantize),
        inputs=(x,),
        outputs=(y,),
    )


def test_float_ends_fold_into_the_interface() -> None:
    graph = two_ops(1, 4)
    floats = with_float_ends(graph)
    assert first_difference(prepare(floats), graph) is None
    inputs = seeded_inputs(graph, 0)[0]
    np.testing.assert_array_equal(HostModel(floats).run(inputs)[0], HostModel(graph).run(inputs)[0])


def test_preparing_twice_changes_nothing() -> None:
    once = prepare(with_float_ends(two_ops(1, 4)))
    assert first_difference(prepare(once), once) is None


def test_a_constant_output_is_refused() -> None:
    net = Net(np.random.default_rng(0))
    net.input((1, 4), 0.5, 0)
    graph = replace(net.graph(), outputs=(net.constant((1, 4), 0.5, 0),), tensors=tuple(net.tensors))
    with pytest.raises(ModelError, match="'k1' is a constant"):
        prepare(graph)
