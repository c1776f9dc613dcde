from __future__ import annotations

import numpy as np
import pytest

from tests.graph.nets import SMALL_SPEC, float_net, he_weights
from tinynas.errors import ModelError
from tinynas.graph.ir import DType
from tinynas.graph.lower import bind, lower
from tinynas.graph.shapes import check_shapes
from tinynas.graph.stats import macs, op_macs
from tinynas.space.layers import layers


def test_both_dtypes_give_the_same_structure() -> None:
    int8, floats = lower(SMALL_SPEC), lower(SMALL_SPEC, DType.FLOAT32)
    assert int8.ops == floats.ops
    assert [(t.name, t.shape, t.const) for t in int8.tensors] == [(t.name, t.shape, t.const) for t in floats.tensors]
    assert {t.dtype for t in int8.tensors if t.name.endswith(".bias")} == {DType.INT32}


def test_shapes_follow_from_the_ops() -> None:
    check_shapes(lower(SMALL_SPEC))


def test_layers_and_tensors_agree() -> None:
    graph = lower(SMALL_SPEC)
    by_name = {t.name: t for t in graph.tensors}
    for layer in layers(SMALL_SPEC):
        assert by_name[layer.name].elements == np.prod(layer.out_shape)
    assert macs(graph) == sum(layer.macs for layer in layers(SMALL_SPEC))


def test_statistics_of_the_stem() -> None:
    """3x3x3 -> 8 channels on 7x6 positions."""
    graph = lower(SMALL_SPEC)
    assert op_macs(graph, graph.ops[0]) == 7 * 6 * 8 * 27


def test_bind_fills_every_constant() -> None:
    assert all(t.data is not None for t in float_net().tensors if t.const)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stem.weight": None}, r"missing \['stem.weight'\]"),
        ({"tail.weight": np.zeros(3, np.float32)}, r"unexpected \['tail.weight'\]"),
        ({"stem.bias": np.zeros(9, np.float32)}, r"'stem.bias' has shape \[9\], wanted \[8\]"),
    ],
)
def test_bind_names_what_does_not_match(change: dict[str, np.ndarray | None], message: str) -> None:
    graph = lower(SMALL_SPEC, DType.FLOAT32)
    rng = np.random.default_rng(0)
    weights = {t.name: he_weights(t.shape, rng) for t in graph.tensors if t.const and t.data is None}
    changed = {name: data for name, data in {**weights, **change}.items() if data is not None}
    with pytest.raises(ModelError, match=message):
        bind(graph, changed)


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(ModelError, match="int16"):
        lower(SMALL_SPEC, DType.INT16)
