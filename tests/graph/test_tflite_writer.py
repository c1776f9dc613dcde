from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.graph.nets import SMALL_SPEC, float_graphs, float_net, int8_net, samples_for
from tinynas.errors import ModelError
from tinynas.graph.compare import first_difference
from tinynas.graph.ir import DType, Graph, Op, Quant, Tensor
from tinynas.graph.lower import lower
from tinynas.graph.ops import Softmax
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflite_writer import write_tflite
from tinynas.quantize.calibrate import collect_ranges
from tinynas.quantize.ptq import quantize


@given(float_graphs(max_steps=6))
@settings(max_examples=40, deadline=None)
def test_round_trip(graph: Graph) -> None:
    read = read_tflite(write_tflite(graph))
    assert first_difference(graph, read) is None
    assert read.metadata == graph.metadata
    assert write_tflite(read) == write_tflite(graph)


@pytest.mark.parametrize("graph", [float_net(), int8_net()], ids=["float32", "int8"])
def test_round_trip_of_a_network(graph: Graph) -> None:
    assert first_difference(graph, read_tflite(write_tflite(graph))) is None


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    """Any constant or value, quantised per tensor, per axis or not."""
    dtype = draw(st.sampled_from(list(DType)))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=5, max_side=4))
    low, high = (-8, 7) if dtype is DType.INT4 else (-100, 100)
    data = np.random.default_rng(draw(st.integers(0, 99))).integers(low, high + 1, shape).astype(dtype.numpy)
    axes = [axis for axis, side in enumerate(shape) if side > 1]
    axis = draw(st.sampled_from([None, *axes]))
    count = 1 if axis is None else shape[axis]
    scale = np.linspace(0.1, 1, count).astype(np.float32)
    quant = draw(st.sampled_from([None, Quant(scale, np.arange(count, dtype=np.int64), axis)]))
    const = draw(st.booleans())
    return Tensor(draw(st.text(max_size=8)), shape, dtype, quant, data if const else None, const)


@given(st.lists(tensors(), max_size=4), st.floats(0, 10, width=32))
@settings(deadline=None)
def test_any_tensor_survives(unused: list[Tensor], beta: float) -> None:
    """int4 is packed in pairs, scalars have no dimensions, names are any text; unused tensors stay."""
    ends = [Tensor(name, (1, 3), DType.FLOAT32) for name in ("in", "out")]
    graph = Graph((*ends, *unused), (Op("SOFTMAX", (0,), (1,), Softmax(beta)),), (0,), (1,))
    assert first_difference(graph, read_tflite(write_tflite(graph))) is None


def test_data_is_aligned_to_16_bytes() -> None:
    """The schema's force_align: a Cortex-M reads int32 biases in place."""
    model = write_tflite(int8_net())
    root = schema.Model.GetRootAs(model, 0)
    for i in range(1, root.BuffersLength()):
        raw = root.Buffers(i).DataAsNumpy()
        assert (
            raw.__array_interface__["data"][0] - np.frombuffer(model, np.uint8).__array_interface__["data"][0]
        ) % 16 == 0


def test_op_versions_are_those_of_tensorflow() -> None:
    """As TensorFlow's converter writes them: float 1; int8 convolutions 3, RESHAPE 1, the others 2."""

    def versions(graph: Graph) -> dict[int, int]:
        root = schema.Model.GetRootAs(write_tflite(graph), 0)
        codes = [root.OperatorCodes(i) for i in range(root.OperatorCodesLength())]
        return {code.BuiltinCode(): code.Version() for code in codes}

    builtin = schema.BuiltinOperator
    assert set(versions(float_net()).values()) == {1}
    assert versions(int8_net()) == {
        builtin.CONV_2D: 3,
        builtin.DEPTHWISE_CONV_2D: 3,
        builtin.ADD: 2,
        builtin.AVERAGE_POOL_2D: 2,
        builtin.RESHAPE: 1,
        builtin.SOFTMAX: 2,
    }


def test_a_weightless_graph_is_refused() -> None:
    with pytest.raises(ModelError, match=r"'stem\.weight' has no data"):
        write_tflite(lower(SMALL_SPEC))


def test_quantise_and_write_are_fast() -> None:
    """Under 0.2 s for a network of the demo's size (measured: 0.01 s); the calibration run is apart."""
    spec = replace(SMALL_SPEC, input_shape=(64, 64, 1), head_channels=1280)
    blocks = tuple(replace(block, hidden_channels=960, in_channels=160, out_channels=160) for block in spec.stages[0])
    graph = float_net(replace(spec, stem_channels=160, stages=(blocks,)))
    ranges = collect_ranges(graph, samples_for(graph, 2))
    start = time.perf_counter()
    write_tflite(quantize(graph, ranges))
    assert time.perf_counter() - start < 0.2
