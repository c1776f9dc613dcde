"""TFLite Micro and TensorFlow's reference kernels give the same bytes on the files we write."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from numpy.typing import NDArray

from tests.graph.nets import SMALL_SPEC, Chain, float_graphs, int8_net, samples_for
from tests.graph.reference_kernels import TensorFlowWorker, run_reference_kernels
from tinynas.graph import ops
from tinynas.graph.ir import Graph
from tinynas.graph.ops import Activation, Padding
from tinynas.graph.prune import without_ops
from tinynas.graph.tflite_writer import write_tflite
from tinynas.graph.tflm import TflmInterpreter, TflmWorker
from tinynas.quantize.calibrate import collect_ranges
from tinynas.quantize.ptq import quantize
from tinynas.quantize.seeded import seeded_inputs

Int8s = NDArray[np.int8]


def inputs_for(graph: Graph, count: int) -> list[Int8s]:
    return [np.stack(values) for values in zip(*seeded_inputs(graph, seed=1, n=count), strict=True)]


def quantised(graph: Graph) -> Graph:
    return quantize(graph, collect_ranges(graph, samples_for(graph, 8)))


def both(
    graph: Graph, tflm: TflmWorker, tensorflow: TensorFlowWorker, count: int = 4
) -> tuple[list[Int8s], list[Int8s]]:
    model, inputs = write_tflite(graph), inputs_for(graph, count)
    with TflmInterpreter(model, worker=tflm) as interpreter:
        micro = interpreter.run_many(inputs)
    return micro, run_reference_kernels(model, inputs, tensorflow)


def without_dense(graph: Graph) -> Graph:
    """The graph up to its first FULLY_CONNECTED, whose rounding differs between the two (see the last test)."""
    dense = [index for index, op in enumerate(graph.ops) if op.kind == "FULLY_CONNECTED"]
    if not dense:
        return graph
    cut = replace(graph, outputs=(graph.ops[dense[0]].inputs[0],))
    return without_ops(cut, range(dense[0], len(graph.ops)))


@given(float_graphs())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_networks(tflm: TflmWorker, tensorflow: TensorFlowWorker, graph: Graph) -> None:
    micro, reference = both(quantised(without_dense(graph)), tflm, tensorflow)
    np.testing.assert_array_equal(micro[0], reference[0])


@pytest.mark.parametrize("seed", range(3))
def test_lowered_networks(tflm: TflmWorker, tensorflow: TensorFlowWorker, seed: int) -> None:
    micro, reference = both(int8_net(SMALL_SPEC, seed), tflm, tensorflow)
    np.testing.assert_array_equal(micro[0], reference[0])


def _chains() -> dict[str, Chain]:
    def start() -> Chain:
        return Chain.start((1, 6, 5, 4)).conv(4, activation=Activation.NONE)

    def unary(kind: str, attrs: ops.Attrs | None = None) -> Chain:
        return start().op(kind, (1, 6, 5, 4), attrs)

    def resized(kind: str, half_pixel: bool) -> Chain:
        chain = start()
        return chain.op(kind, (1, 12, 10, 4), ops.Resize(False, half_pixel), (chain.at, chain.ints([12, 10])))

    def transposed() -> Chain:
        chain = start()
        return chain.op("TRANSPOSE", (1, 4, 6, 5), None, (chain.at, chain.ints([0, 3, 1, 2])))

    def sliced() -> Chain:
        chain = start()
        bounds = [chain.ints(values) for values in ([0, 1, 0, 0], [1, 6, 5, 3], [1, 2, 1, 1])]
        return chain.op("STRIDED_SLICE", (1, 3, 5, 3), ops.StridedSlice(), (chain.at, *bounds))

    def packed() -> Chain:
        chain = start()
        return chain.op("PACK", (1, 2, 6, 5, 4), ops.Pack(2, 1), (chain.at, chain.at))

    def with_constant(kind: str, attrs: ops.Attrs | None) -> Chain:
        chain = start()
        return chain.op(kind, (1, 6, 5, 4), attrs, (chain.at, chain.floats((1, 6, 5, 4))))

    return {
        "mean": start().mean(),
        "mean keeping dims": start().mean(keep_dims=True),
        "leaky relu": unary("LEAKY_RELU", ops.LeakyRelu(0.1)),
        "hard swish": unary("HARD_SWISH"),
        "logistic": unary("LOGISTIC"),
        "tanh": unary("TANH"),
        "nearest": resized("RESIZE_NEAREST_NEIGHBOR", False),
        "bilinear": resized("RESIZE_BILINEAR", True),
        "transpose": transposed(),
        "strided slice": sliced(),
        "pack": packed(),
        "add constant": with_constant("ADD", ops.Binary(Activation.RELU)),
        "mul constant": with_constant("MUL", ops.Binary()),
        "maximum": with_constant("MAXIMUM", None),
        "valid depthwise": start().depthwise(5, 2, 3, Padding.VALID, Activation.NONE),
    }


@pytest.mark.parametrize("name", _chains())
def test_single_ops(tflm: TflmWorker, tensorflow: TensorFlowWorker, name: str) -> None:
    micro, reference = both(quantised(_chains()[name].graph()), tflm, tensorflow)
    np.testing.assert_array_equal(micro[0], reference[0])


def test_fully_connected_differs_by_its_rounding_alone(tflm: TflmWorker, tensorflow: TensorFlowWorker) -> None:
    """acc * multiplier * 2^shift: TFLite Micro rounds after the product and after the shift, TensorFlow once.

    Both match their formula to the byte, so the sums of products are the same.
    """
    graph = quantised(Chain.start((1, 1, 1, 96)).flatten().dense(64).graph())
    micro, reference = both(graph, tflm, tensorflow, count=200)
    twice, once = _dense_rounded_twice_and_once(graph, inputs_for(graph, 200)[0])
    np.testing.assert_array_equal(micro[0].reshape(200, 64), twice)
    np.testing.assert_array_equal(reference[0].reshape(200, 64), once)


def _dense_rounded_twice_and_once(graph: Graph, x: Int8s) -> tuple[Int8s, Int8s]:
    """Outputs [n, cout] of a graph's last op by gemmlowp's two roundings (fixedpoint.h), and by a single one."""
    op = graph.ops[-1]
    quants = [graph.tensors[i].quant for i in (*op.inputs[:2], *op.outputs)]
    scales = [float(q.scale[0]) for q in quants if q is not None]
    zeros = [int(q.zero_point[0]) for q in quants if q is not None]
    weights, bias = (graph.tensors[i].data for i in op.inputs[1:])
    assert weights is not None and bias is not None
    acc = (x.reshape(len(x), -1).astype(np.int64) - zeros[0]) @ weights.astype(np.int64).T + bias.astype(np.int64)
    fraction, exponent = np.frexp(scales[0] * scales[1] / scales[2])
    assert exponent < 0
    product, right = acc * int(np.rint(fraction * 2**31)), -int(exponent)
    once = (product + (1 << (30 + right))) >> (31 + right)
    high = np.sign(product) * ((np.abs(product) + (1 << 30)) >> 31)
    twice = np.sign(high) * ((np.abs(high) + (1 << (right - 1))) >> right)
    twice_bytes, once_bytes = (np.clip(value + zeros[2], -128, 127).astype(np.int8) for value in (twice, once))
    return twice_bytes, once_bytes
