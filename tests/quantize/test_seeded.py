from __future__ import annotations

import numpy as np

from tests.graph.nets import int8_net
from tests.graph.test_tflm import with_float_ends
from tinynas.quantize.seeded import seeded_inputs


def test_one_seed_one_set_of_bytes() -> None:
    graph = int8_net()
    first, again, other = (seeded_inputs(graph, seed, 3) for seed in (5, 5, 6))
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        assert not np.array_equal(a[0], c[0])


def test_shapes_types_and_range() -> None:
    """All 256 values occur."""
    inputs = seeded_inputs(int8_net(), 0, 10)
    assert {(x.dtype, x.shape) for sample in inputs for x in sample} == {(np.dtype("int8"), (1, 13, 11, 3))}
    assert len(np.unique(np.stack([sample[0] for sample in inputs]))) == 256


def test_the_first_sets_do_not_depend_on_how_many() -> None:
    np.testing.assert_array_equal(seeded_inputs(int8_net(), 1, 1)[0][0], seeded_inputs(int8_net(), 1, 4)[0][0])


def test_float_ends_do_not_change_them() -> None:
    graph = int8_net()
    np.testing.assert_array_equal(seeded_inputs(with_float_ends(graph), 1)[0][0], seeded_inputs(graph, 1)[0][0])
