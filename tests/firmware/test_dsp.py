"""The kernels for the DSP extension, in their plain C form on this machine, give TFLite Micro's bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.cases import AddCase, Net, activations, graphs, out_size, tight_plan, zero_points
from tests.engine.test_parity import CASES
from tinynas.engine.host import HostModel
from tinynas.graph import ops
from tinynas.graph.ir import Graph, Quant
from tinynas.graph.tflite_writer import write_tflite
from tinynas.graph.tflm import TflmInterpreter, TflmWorker
from tinynas.lab.board import Core
from tinynas.plan.fixed_point import requantise
from tinynas.plan.kernels import Isa, choose, kernel
from tinynas.plan.ops.depthwise_dsp import MOST_RECORD_WORDS, SIDES_AND_STRIDES
from tinynas.plan.ops.dsp import gemm_weights
from tinynas.quantize.seeded import seeded_inputs

paddings = st.sampled_from(list(ops.Padding))
in_scales = st.sampled_from([0.003921569, 0.0117, 0.0235294])
out_scales = st.sampled_from([0.0117, 0.05, 0.31])  # factors stay below 1/2: none is refused


@pytest.fixture(scope="module")
def worker() -> Iterator[TflmWorker]:
    with TflmWorker() as running:
        yield running


def assert_same_bytes(graph: Graph, worker: TflmWorker) -> None:
    interpreter = TflmInterpreter(write_tflite(graph), worker=worker)
    model = HostModel(graph, tight_plan(graph, Core.M4))
    for inputs in seeded_inputs(graph, seed=0, n=2):
        for k, (found, wanted) in enumerate(zip(model.run(inputs), interpreter.run(inputs), strict=True)):
            np.testing.assert_array_equal(found, wanted, err_msg=described(graph, graph.outputs[k]))


def described(graph: Graph, tensor: int) -> str:
    """The op that writes a tensor."""
    op = next(op for op in graph.ops if tensor in op.outputs)
    return f"{op.kind} {op.attrs} {[graph.tensors[i].shape for i in (*op.inputs, *op.outputs) if i >= 0]}"


def sizes(draw: st.DrawFn, side: tuple[int, int], padding: ops.Padding) -> list[int]:
    least = side if padding is ops.Padding.VALID else (1, 1)
    return [draw(st.integers(n, n + 9)) for n in least]


def conv(net: Net, draw: st.DrawFn) -> None:
    side = draw(st.sampled_from([(1, 1), (3, 3), (4, 2), (5, 5)]))
    stride, padding = (draw(st.integers(1, 2)), draw(st.integers(1, 2))), draw(paddings)
    size = sizes(draw, side, padding)
    cin, cout = draw(st.sampled_from([1, 3, 4, 8, 20])), draw(st.sampled_from([1, 4, 6, 8, 12]))
    x = net.input((1, *size, cin), draw(in_scales), draw(zero_points))
    weights = net.weights((cout, *side, cin), draw(st.sampled_from([None, 0])))
    out = [out_size(*axis, 1, padding) for axis in zip(size, side, stride, strict=True)]
    y = net.output((1, *out, cout), draw(out_scales), draw(zero_points))
    attrs = ops.Conv2D(*stride, padding, draw(activations))
    net.op("CONV_2D", [x, weights, net.bias(weights, x, cout)], y, attrs)


def pointwise(net: Net, draw: st.DrawFn) -> None:
    size = [draw(st.integers(1, 5)) for _ in range(2)]
    cin, cout = (4 * draw(st.integers(1, 12)) for _ in range(2))
    x = net.input((1, *size, cin), draw(in_scales), draw(zero_points))
    weights = net.weights((cout, 1, 1, cin), draw(st.sampled_from([None, 0])))
    y = net.output((1, *size, cout), draw(out_scales), draw(zero_points))
    attrs = ops.Conv2D(activation=draw(activations))
    net.op("CONV_2D", [x, weights, net.bias(weights, x, cout)], y, attrs)


def depthwise(net: Net, draw: st.DrawFn) -> None:
    side, stride, padding = draw(st.sampled_from([3, 5, 7])), draw(st.integers(1, 2)), draw(paddings)
    channels = draw(st.sampled_from([4, 5, 8, 11, 12]))
    size = sizes(draw, (side, side), padding)
    x = net.input((1, *size, channels), draw(in_scales), draw(zero_points))
    weights = net.weights((1, side, side, channels), draw(st.sampled_from([None, 3])))
    out = [out_size(n, side, stride, 1, padding) for n in size]
    y = net.output((1, *out, channels), draw(out_scales), draw(zero_points))
    attrs = ops.DepthwiseConv2D(stride, stride, padding, draw(activations), 1)
    net.op("DEPTHWISE_CONV_2D", [x, weights, net.bias(weights, x, channels)], y, attrs)


def depthwise_of_many_channels(net: Net, draw: st.DrawFn) -> None:
    """More channels than records are kept of: they are made for four channels at a time."""
    side, stride = draw(st.sampled_from(SIDES_AND_STRIDES))
    words = 4 + side * (side - 1 if stride == 1 else side // 2 + 1)
    channels = MOST_RECORD_WORDS // words + draw(st.integers(1, 4))
    size = sizes(draw, (1, 1), ops.Padding.SAME)
    x = net.input((1, *size, channels), draw(in_scales), draw(zero_points))
    weights = net.weights((1, side, side, channels), draw(st.sampled_from([None, 3])))
    out = [out_size(n, side, stride, 1, ops.Padding.SAME) for n in size]
    y = net.output((1, *out, channels), draw(out_scales), draw(zero_points))
    attrs = ops.DepthwiseConv2D(stride, stride, ops.Padding.SAME, draw(activations), 1)
    net.op("DEPTHWISE_CONV_2D", [x, weights, net.bias(weights, x, channels)], y, attrs)


def depthwise_of_one_channel(net: Net, draw: st.DrawFn) -> None:
    channels, stride = draw(st.integers(1, 9)), draw(st.integers(1, 2))
    size = [draw(st.integers(1, 9)) for _ in range(2)]
    x = net.input((1, *size, 1), draw(in_scales), draw(zero_points))
    weights = net.weights((1, 3, 3, channels), 3)
    out = [out_size(n, 3, stride, 1, ops.Padding.SAME) for n in size]
    y = net.output((1, *out, channels), draw(out_scales), draw(zero_points))
    attrs = ops.DepthwiseConv2D(stride, stride, ops.Padding.SAME, draw(activations), channels)
    net.op("DEPTHWISE_CONV_2D", [x, weights, net.bias(weights, x, channels)], y, attrs)


def fully_connected(net: Net, draw: st.DrawFn) -> None:
    rows, cin, cout = draw(st.integers(1, 3)), draw(st.integers(1, 70)), draw(st.integers(4, 70))
    x = net.input((rows, cin), draw(in_scales), draw(zero_points))
    weights = net.weights((cout, cin), draw(st.sampled_from([None, 0])))
    inputs = [x, weights, net.bias(weights, x, cout) if draw(st.booleans()) else -1]
    y = net.output((rows, cout), draw(out_scales), draw(zero_points))
    net.op("FULLY_CONNECTED", inputs, y, ops.FullyConnected(draw(activations)))


def add(net: Net, draw: st.DrawFn) -> None:
    shape = (1, 1, draw(st.integers(1, 5)), 256)
    a = net.input(shape, draw(in_scales), draw(zero_points))
    b = net.input(shape, draw(in_scales), draw(zero_points))
    y = net.output(shape, draw(in_scales), draw(zero_points))
    net.op("ADD", [a, b] if draw(st.booleans()) else [b, a], y, ops.Binary(draw(activations)))


def mul_channels(net: Net, draw: st.DrawFn) -> None:
    size, channels = [draw(st.integers(1, 4)) for _ in range(2)], 4 * draw(st.integers(1, 5))
    x = net.input((1, *size, channels), draw(in_scales), draw(zero_points))
    factors = net.input((1, 1, 1, channels), draw(in_scales), draw(zero_points))
    y = net.output((1, *size, channels), draw(out_scales), draw(zero_points))
    net.op("MUL", [x, factors], y, ops.Binary(draw(activations)))


def average_of_all(net: Net, draw: st.DrawFn) -> None:
    size, channels = [draw(st.integers(1, 24)) for _ in range(2)], 4 * draw(st.integers(1, 3))
    scale, zero = draw(in_scales), draw(zero_points)
    x = net.input((1, *size, channels), scale, zero)
    y = net.output((1, 1, 1, channels), scale, zero)
    net.op("AVERAGE_POOL_2D", [x], y, ops.Pool2D(size[0], size[1], activation=draw(activations)))


DSP_CASES = [
    conv,
    pointwise,
    depthwise,
    depthwise_of_many_channels,
    depthwise_of_one_channel,
    fully_connected,
    add,
    mul_channels,
    average_of_all,
]


@pytest.mark.parametrize("add_case", DSP_CASES, ids=lambda case: case.__name__)
def test_dsp_kernel_is_bit_exact(add_case: AddCase, worker: TflmWorker) -> None:
    """Any shape, padding and zero point; outputs lie as far over their inputs as the planner would let them."""

    @settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(graph=graphs(add_case, cases=8))
    def check(graph: Graph) -> None:
        assert {choose(graph, k, Core.M4).isa for k in range(len(graph.ops))} == {Isa.DSP}
        assert_same_bytes(graph, worker)

    check()


@pytest.mark.parametrize("add_case", CASES, ids=lambda case: case.__name__)
def test_any_op_is_bit_exact_on_a_core_with_dsp(add_case: AddCase, worker: TflmWorker) -> None:
    """What the DSP kernels refuse goes to the portable ones."""

    @settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(graph=graphs(add_case))
    def check(graph: Graph) -> None:
        assert_same_bytes(graph, worker)

    check()


def one_pointwise(seed: int = 0) -> Graph:
    """8 to 8 channels over 2x2 pixels, linear."""
    net = Net(np.random.default_rng(seed))
    x = net.input((1, 2, 2, 8), 0.0235294, -5)
    weights = net.weights((8, 1, 1, 8), 0)
    y = net.output((1, 2, 2, 8), 0.05, 3)
    net.op("CONV_2D", [x, weights, net.bias(weights, x, 8)], y, ops.Conv2D())
    return net.graph()


def with_first_channel(graph: Graph, weight: int, bias: int, scale: float) -> Graph:
    """The graph with constants of output channel 0 replaced."""
    w, b = (graph.tensors[i] for i in graph.ops[0].inputs[1:])
    assert w.quant is not None and w.data is not None and b.data is not None
    data, biases, scales = w.data.copy(), b.data.copy(), w.quant.scale.copy()
    data[0], biases[0], scales[0] = weight, bias, scale
    weights = replace(w, data=data, quant=Quant(scales, w.quant.zero_point, 0))
    return graph.with_tensors({graph.ops[0].inputs[1]: weights, graph.ops[0].inputs[2]: replace(b, data=biases)})


@pytest.mark.parametrize(("weight", "bias", "scale"), [(0, 0, 1e-9), (1, 2**30 - 1, 1e-9), (0, 2**30 - 1, 0.02)])
def test_channels_that_are_switched_off_do_not_need_other_kernels(
    weight: int, bias: int, scale: float, worker: TflmWorker
) -> None:
    graph = with_first_channel(one_pointwise(), weight, bias, scale)
    assert choose(graph, 0, Core.M4).name == "conv1x1_dsp_s8"
    assert_same_bytes(graph, worker)


@pytest.mark.parametrize(("weight", "bias", "scale"), [(-128, 9, 0.02), (5, 9, 3.0)])
def test_what_the_arithmetic_cannot_hold_is_left_to_portable_kernels(
    weight: int, bias: int, scale: float, worker: TflmWorker
) -> None:
    graph = with_first_channel(one_pointwise(), weight, bias, scale)
    assert choose(graph, 0, Core.M4).isa is Isa.PORTABLE
    assert_same_bytes(graph, worker)


@pytest.mark.parametrize("exponent", range(23))
@pytest.mark.parametrize("is_relu", [False, True])
def test_requantisation_is_tflites(exponent: int, is_relu: bool) -> None:
    """The five instructions of tn_dsp.h, around every tie of the second rounding and at the ends."""
    if exponent == 0 and not is_relu:
        return
    rng = np.random.default_rng(exponent)
    for multiplier in (2**30, 2**31 - 1, *(int(m) for m in rng.integers(2**30, 2**31, 20))):
        ties = (2 * rng.integers(-300, 300, 100) + 1) * 2 ** max(exponent - 1, 0) * 2**31 // multiplier
        near = (ties[:, None] + np.arange(-3, 4)).ravel()
        x = np.concatenate([near, [-1, 0, 1, 2**30 - 1, 1 - 2**30], rng.integers(-(2**30) + 1, 2**30, 100)])
        x = x[np.abs(x) < 2**30]
        zero = int(rng.integers(-128, 128))
        rounding = (2 * zero + 1) << (exponent - 1) if exponent else zero
        high = ((2 * x * multiplier + 2**31) >> 32) + rounding  # SMMLAR
        found = (high - (0 if is_relu else (x < 0))) >> exponent
        assert np.all(np.abs(high) < 2**31)
        wanted = np.array([requantise(int(v), multiplier, -exponent) for v in x]) + zero
        low = zero if is_relu else -128
        np.testing.assert_array_equal(np.clip(found, low, 127), np.clip(wanted, low, 127))


def test_gemm_weights_hold_two_channels_in_a_number() -> None:
    weights = np.arange(-32, 32, dtype=np.int8).reshape(4, 16)
    numbers = gemm_weights(weights).view("<i2").reshape(8, 2, 2)  # step, channels ab or cd, tap k or k'
    taps = [(0, 2), (1, 3), (4, 6), (5, 7), (8, 10), (9, 11), (12, 14), (13, 15)]
    for step, pair in enumerate(taps):
        for which, tap in enumerate(pair):
            a, b, c, d = (int(w) for w in weights[:, tap])
            assert list(numbers[step, :, which]) == [256 * a + b, 256 * c + d]


def test_weightless_graph_plans_like_the_trained_one() -> None:
    graph = one_pointwise()
    bare = graph.with_tensors({i: replace(t, data=None) for i, t in enumerate(graph.tensors)})
    chosen, found = choose(graph, 0, Core.M4), choose(bare, 0, Core.M4)
    assert chosen == found == kernel("conv1x1_dsp_s8")
    assert chosen.const_bytes(graph, graph.ops[0]) == found.const_bytes(bare, bare.ops[0])
