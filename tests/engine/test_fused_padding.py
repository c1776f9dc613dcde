"""PAD inside the convolution that follows gives TFLite Micro's bytes, on portable and on DSP kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.cases import AddCase, Net, graphs, out_size, tight_plan, zero_points
from tinynas.engine.host import HostModel
from tinynas.graph import ops
from tinynas.graph.ir import Graph
from tinynas.graph.tflite_writer import write_tflite
from tinynas.graph.tflm import TflmInterpreter, TflmWorker
from tinynas.lab.board import Core
from tinynas.plan.planner import plan
from tinynas.quantize.seeded import seeded_inputs

SCALE = 0.0117


@pytest.fixture(scope="module")
def worker() -> Iterator[TflmWorker]:
    with TflmWorker() as running:
        yield running


def filled(net: Net, draw: st.DrawFn, x: int, amounts: np.ndarray[tuple[int, int], np.dtype[np.int32]]) -> int:
    """PAD, or PADV2 of the zero point."""
    shape, quant = net.tensors[x].shape, net.tensors[x].quant
    assert quant is not None
    zero = int(quant.zero_point[0])
    y = net.tensor([n + int(a.sum()) for n, a in zip(shape, amounts, strict=True)], SCALE, zero)
    if draw(st.booleans()):
        net.op("PAD", [x, net.ints(amounts)], y)
        return y
    value = net.constant((1,), SCALE, zero)
    net.tensors[value] = replace(net.tensors[value], data=np.array([zero], np.int8))
    net.op("PADV2", [x, net.ints(amounts), value], y)
    return y


def padded(net: Net, draw: st.DrawFn, channels: int, kernel: int) -> int:
    size = [draw(st.integers(kernel, kernel + 6)) for _ in range(2)]
    around = [[0, 0], *([draw(st.integers(0, kernel - 1)) for _ in range(2)] for _ in range(2)), [0, 0]]
    return filled(net, draw, net.input((1, *size, channels), SCALE, draw(zero_points)), np.array(around, np.int32))


def conv(net: Net, draw: st.DrawFn) -> None:
    kernel, stride, cout = draw(st.sampled_from([2, 3, 5])), draw(st.integers(1, 2)), draw(st.sampled_from([3, 4, 8]))
    x = padded(net, draw, draw(st.sampled_from([1, 3, 4])), kernel)
    _, h, w, cin = net.tensors[x].shape
    padding = draw(st.sampled_from(list(ops.Padding)))
    weights = net.weights((cout, kernel, kernel, cin), 0)
    y = net.output((1, *(out_size(n, kernel, stride, 1, padding) for n in (h, w)), cout), 0.31, draw(zero_points))
    net.op("CONV_2D", [x, weights, net.bias(weights, x, cout)], y, ops.Conv2D(stride, stride, padding))


def depthwise(net: Net, draw: st.DrawFn) -> None:
    kernel, stride, channels = (
        draw(st.sampled_from([3, 5, 7])),
        draw(st.integers(1, 2)),
        draw(st.sampled_from([3, 4, 8])),
    )
    x = padded(net, draw, channels, kernel)
    _, h, w, _ = net.tensors[x].shape
    weights = net.weights((1, kernel, kernel, channels), 3)
    y = net.output((1, *((n - kernel) // stride + 1 for n in (h, w)), channels), 0.31, draw(zero_points))
    attrs = ops.DepthwiseConv2D(stride, stride, ops.Padding.VALID)
    net.op("DEPTHWISE_CONV_2D", [x, weights, net.bias(weights, x, channels)], y, attrs)


@pytest.mark.parametrize("core", [Core.HOST, Core.M4])
@pytest.mark.parametrize("add_case", [conv, depthwise], ids=lambda case: case.__name__)
def test_bytes(add_case: AddCase, core: Core, worker: TflmWorker) -> None:
    @settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(graph=graphs(add_case, cases=4))
    def check(graph: Graph) -> None:
        assert_same_bytes(graph, core, worker)

    check()


def assert_same_bytes(graph: Graph, core: Core, worker: TflmWorker) -> None:
    """Outputs lie as far over their inputs as the planner would let them."""
    made = tight_plan(graph, core)
    interpreter, model = TflmInterpreter(write_tflite(graph), worker=worker), HostModel(graph, made)
    for inputs in seeded_inputs(graph, 0, 2):
        for k, (found, wanted) in enumerate(zip(model.run(inputs), interpreter.run(inputs), strict=True)):
            np.testing.assert_array_equal(found, wanted, err_msg=str(graph.ops[2 * k + 1]))


def pad_and_conv(amounts: tuple[tuple[int, int], ...], kernel: int = 3) -> Net:
    net = Net(np.random.default_rng(0))
    x = net.input((1, 6, 6, 2), SCALE, 5)
    y = net.tensor([n + sum(a) for n, a in zip((1, 6, 6, 2), amounts, strict=True)], SCALE, 5)
    net.op("PAD", [x, net.ints(np.array(amounts, np.int32))], y)
    _, h, w, cin = net.tensors[y].shape
    weights = net.weights((4, kernel, kernel, cin), 0)
    z = net.output((1, h - kernel + 1, w - kernel + 1, 4), 0.31, 0)
    net.op("CONV_2D", [y, weights, net.bias(weights, y, 4)], z, ops.Conv2D(padding=ops.Padding.VALID))
    return net


ONE_AROUND = ((0, 0), (1, 1), (1, 1), (0, 0))


def test_the_padded_tensor_takes_no_memory() -> None:
    made = plan(pad_and_conv(ONE_AROUND).graph(), Core.HOST)
    assert [step.ops for step in made.steps] == [(0, 1)] and made.steps[0].inputs == (0,)
    assert 1 not in made.buffers


def read_twice(net: Net) -> None:
    net.op("RELU", [1], net.output(net.tensors[1].shape, SCALE, 5))


def another_value(net: Net) -> None:
    value = net.constant((1,), SCALE, 5)
    net.tensors[value] = replace(net.tensors[value], data=np.array([6], np.int8))
    net.ops[0] = replace(net.ops[0], kind="PADV2", inputs=(*net.ops[0].inputs, value))


def an_output(net: Net) -> None:
    net.outputs.append(1)


def nothing(net: Net) -> None:
    del net


@pytest.mark.parametrize(
    ("amounts", "change"),
    [
        (ONE_AROUND, read_twice),
        (ONE_AROUND, another_value),
        (ONE_AROUND, an_output),
        (((0, 0), (0, 0), (0, 0), (0, 1)), nothing),  # of channels
        (((0, 0), (3, 0), (0, 0), (0, 0)), nothing),  # a window without any input
    ],
)
def test_padding_that_stays(
    amounts: tuple[tuple[int, int], ...], change: Callable[[Net], None], worker: TflmWorker
) -> None:
    net = pad_and_conv(amounts)
    change(net)
    graph = net.graph()
    assert plan(graph, Core.HOST).steps[0].ops == (0,)
    interpreter, model = TflmInterpreter(write_tflite(graph), worker=worker), HostModel(graph)
    inputs = seeded_inputs(graph, 0)[0]
    for found, wanted in zip(model.run(inputs), interpreter.run(inputs), strict=True):
        np.testing.assert_array_equal(found, wanted)
