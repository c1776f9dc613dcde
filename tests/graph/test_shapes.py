from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.nets import float_graphs
from tinynas.graph.ir import Graph
from tinynas.graph.ops import Padding
from tinynas.graph.shapes import check_shapes, windows

FREE = {"RESHAPE", "SQUEEZE"}  # their shape is stated, not derived


@given(float_graphs())
@settings(deadline=None)
def test_built_networks_pass(graph: Graph) -> None:
    check_shapes(graph)


@given(float_graphs(), st.data())
@settings(deadline=None)
def test_any_other_output_shape_is_refused(graph: Graph, data: st.DataObject) -> None:
    index = data.draw(st.sampled_from([k for k, op in enumerate(graph.ops) if op.kind not in FREE]))
    output = graph.ops[index].outputs[0]
    shape = list(graph.tensors[output].shape)
    shape[data.draw(st.integers(0, len(shape) - 1))] += data.draw(st.integers(1, 3))
    changed = graph.with_tensors({output: replace(graph.tensors[output], shape=tuple(shape))})
    with pytest.raises(ValueError, match=rf"op {index} "):
        check_shapes(changed)


@given(st.integers(1, 30), st.integers(1, 7), st.integers(1, 4))
def test_windows_against_counting(size: int, kernel: int, stride: int) -> None:
    starts = range(0, size, stride)
    assert windows(size, kernel, stride, Padding.SAME) == len(starts)
    if kernel <= size:
        assert windows(size, kernel, stride, Padding.VALID) == sum(start + kernel <= size for start in starts)
