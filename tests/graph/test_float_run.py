from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from tests.graph.floats import run_float
from tests.graph.nets import Chain, float_graphs, float_net, samples_for
from tinynas.errors import ModelError
from tinynas.graph import ops
from tinynas.graph.float_run import run_float_batches
from tinynas.graph.ir import Graph
from tinynas.graph.ops import Activation
from tinynas.quantize.ptq import quantize


@given(float_graphs())
@settings(max_examples=15, deadline=None)
def test_batches_give_what_single_samples_give(graph: Graph) -> None:
    """All inner values, with batches that do not divide the number of samples."""
    samples = samples_for(graph, 5)
    values = [i for i, t in enumerate(graph.tensors) if not t.const]
    together = run_float(graph, samples, values, batch=3)
    alone = run_float(graph, samples, values, batch=1)
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_convolution_against_numpy() -> None:
    chain = Chain.start((1, 4, 5, 3)).conv(2, kernel=1, activation=Activation.RELU)
    graph = chain.graph()
    samples = samples_for(graph, 3)
    weights, bias = (graph.tensors[i].data for i in graph.ops[0].inputs[1:])
    assert weights is not None and bias is not None
    wanted = np.maximum(samples @ weights.reshape(2, 3).T.astype(np.float32) + bias.astype(np.float32), 0)
    np.testing.assert_allclose(run_float(graph, samples, graph.outputs)[0], wanted, rtol=1e-5, atol=1e-6)


def test_a_network_that_moves_the_batch_axis_runs_one_by_one() -> None:
    chain = Chain.start((1, 4, 3, 2))
    chain.op("TRANSPOSE", (4, 1, 3, 2), None, (0, chain.ints([1, 0, 2, 3])))
    samples = samples_for(chain.graph(), 3)
    (found,) = run_float(chain.graph(), samples, [chain.at], batch=3)
    np.testing.assert_array_equal(found, np.concatenate([s[np.newaxis].transpose(1, 0, 2, 3) for s in samples]))


def test_leftover_shape_constants_take_the_batch() -> None:
    graph = Chain.start((1, 4, 3, 2)).flatten().dense(3).op("SOFTMAX", (1, 3), ops.Softmax()).graph()
    assert run_float(graph, samples_for(graph, 7), graph.outputs)[0].shape == (7, 3)
    assert [len(part[0]) for part in run_float_batches(graph, samples_for(graph, 7), graph.outputs, 3)] == [3, 3, 1]


@pytest.mark.parametrize(
    ("shape", "dtype", "message"),
    [((2, 9, 9, 3), np.float32, r"takes float32 \[13, 11, 3\]"), ((2, 13, 11, 3), np.float64, "float64")],
)
def test_wrong_samples_are_named(shape: tuple[int, ...], dtype: type, message: str) -> None:
    graph = float_net()
    with pytest.raises(ModelError, match=message):
        run_float(graph, np.zeros(shape, dtype), graph.outputs)


def test_no_samples_is_an_error() -> None:
    graph = float_net()
    with pytest.raises(ModelError, match="no samples"):
        run_float(graph, np.zeros((0, 13, 11, 3), np.float32), graph.outputs)


def test_an_int8_network_is_refused() -> None:
    chain = Chain.start((1, 4, 3, 2)).conv(2)
    graph = quantize(chain.graph(), dict.fromkeys(range(len(chain.tensors)), (0.0, 1.0)))
    with pytest.raises(ModelError, match="is int8, wanted a float network"):
        run_float(graph, samples_for(graph, 2), graph.outputs)
