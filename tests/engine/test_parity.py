"""Every op gives TFLite Micro's bytes: shapes, strides, paddings, zero points, activations drawn at random."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.cases import AddCase, Net, activations, graphs, out_size, scales, tight_plan, zero_points
from tinynas.engine.host import HostModel
from tinynas.graph import ops
from tinynas.graph.ir import Graph, Op
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflite_writer import write_tflite
from tinynas.graph.tflm import TflmInterpreter, TflmWorker
from tinynas.quantize.seeded import seeded_inputs

paddings = st.sampled_from(list(ops.Padding))
EXAMPLES = 12  # of six ops each


@pytest.fixture(scope="module")
def worker() -> Iterator[TflmWorker]:
    with TflmWorker() as running:
        yield running


def assert_same_bytes(graph: Graph, worker: TflmWorker) -> None:
    interpreter, model = TflmInterpreter(write_tflite(graph), worker=worker), HostModel(graph, tight_plan(graph))
    for inputs in seeded_inputs(graph, seed=0, n=2):
        expected = interpreter.run(inputs)
        for k, (found, wanted) in enumerate(zip(model.run(inputs), expected, strict=True)):
            op = [op for op in graph.ops for _ in op.outputs][k]
            shapes = [graph.tensors[i].shape for i in (*op.inputs, *op.outputs) if i >= 0]
            np.testing.assert_array_equal(found, wanted, err_msg=f"{op.kind} {op.attrs} {shapes}")


@dataclass
class Window:
    """Height and width of input, kernel, stride and dilation; a VALID kernel fits the input."""

    size: list[int]
    kernel: list[int]
    stride: list[int]
    dilation: list[int]
    padding: ops.Padding

    def out(self) -> list[int]:
        axes = zip(self.size, self.kernel, self.stride, self.dilation, strict=True)
        return [out_size(*axis, self.padding) for axis in axes]


def window(draw: st.DrawFn, largest: int = 9) -> Window:
    size = [draw(st.integers(1, largest)) for _ in range(2)]
    kernel = [draw(st.sampled_from([1, 2, 3, 4, 5, 7])) for _ in range(2)]
    stride = [draw(st.integers(1, 3)) for _ in range(2)]
    padding = draw(paddings)
    if padding is ops.Padding.VALID:
        kernel = [min(k, s) for k, s in zip(kernel, size, strict=True)]
    return Window(size, kernel, stride, [1, 1], padding)


def dilated(draw: st.DrawFn, size: int, kernel: int) -> int:
    return draw(st.sampled_from([1, 1, 2])) if size > (kernel - 1) * 2 else 1


def conv(net: Net, draw: st.DrawFn) -> None:
    w = window(draw)
    cin, cout = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    w.dilation = [dilated(draw, s, k) for s, k in zip(w.size, w.kernel, strict=True)]
    if draw(st.booleans()):
        w.kernel, w.stride, w.dilation = [1, 1], [1, 1], [1, 1]
    x = net.input((1, *w.size, cin), draw(scales), draw(zero_points))
    weights = net.weights((cout, *w.kernel, cin), draw(st.sampled_from([None, 0])))
    y = net.output((1, *w.out(), cout), draw(scales), draw(zero_points))
    attrs = ops.Conv2D(w.stride[0], w.stride[1], w.padding, draw(activations), w.dilation[0], w.dilation[1])
    bias = net.bias(weights, x, cout) if draw(st.integers(0, 3)) else -1
    net.op("CONV_2D", [x, weights, bias], y, attrs)


def depthwise(net: Net, draw: st.DrawFn) -> None:
    w = window(draw)
    cin, multiplier = draw(st.integers(1, 6)), draw(st.sampled_from([1, 1, 2, 8]))
    if draw(st.booleans()) and (w.padding is ops.Padding.SAME or min(w.size) >= 3):
        w.kernel = [3, 3]
    channels = cin * multiplier
    x = net.input((1, *w.size, cin), draw(scales), draw(zero_points))
    weights = net.weights((1, *w.kernel, channels), draw(st.sampled_from([None, 3])))
    y = net.output((1, *w.out(), channels), draw(scales), draw(zero_points))
    attrs = ops.DepthwiseConv2D(w.stride[0], w.stride[1], w.padding, draw(activations), multiplier)
    net.op("DEPTHWISE_CONV_2D", [x, weights, net.bias(weights, x, channels)], y, attrs)


def fully_connected(net: Net, draw: st.DrawFn) -> None:
    rows, cin, cout = draw(st.integers(1, 3)), draw(st.integers(1, 40)), draw(st.integers(1, 11))
    x = net.input((rows, cin), draw(scales), draw(zero_points))
    weights = net.weights((cout, cin), draw(st.sampled_from([None, 0])))
    inputs = [x, weights, net.bias(weights, x, cout) if draw(st.booleans()) else -1]
    y = net.output((rows, cout), draw(scales), draw(zero_points))
    net.op("FULLY_CONNECTED", inputs, y, ops.FullyConnected(draw(activations)))


def pool(net: Net, draw: st.DrawFn) -> None:
    w = window(draw)
    channels, scale, zero = draw(st.integers(1, 5)), draw(scales), draw(zero_points)
    x = net.input((1, *w.size, channels), scale, zero)
    y = net.output((1, *w.out(), channels), scale, zero)
    kind = draw(st.sampled_from(["AVERAGE_POOL_2D", "MAX_POOL_2D"]))
    kernel, stride = w.kernel, w.stride
    attrs = ops.Pool2D(kernel[0], kernel[1], stride[0], stride[1], w.padding, draw(activations))
    net.op(kind, [x], y, attrs)


def binary(net: Net, draw: st.DrawFn) -> None:
    shape = [1, *(draw(st.integers(1, 5)) for _ in range(3))]
    other = [1 if draw(st.booleans()) else n for n in shape] if draw(st.booleans()) else shape
    a = net.input(shape, draw(scales), draw(zero_points))
    constant = draw(st.integers(0, 3)) == 0
    b = (net.constant if constant else net.input)(other, draw(scales), draw(zero_points))
    y = net.output(shape, draw(scales), draw(zero_points))
    pair = [a, b] if draw(st.booleans()) else [b, a]
    net.op(draw(st.sampled_from(["ADD", "SUB", "MUL"])), pair, y, ops.Binary(draw(activations)))


def mul_channels(net: Net, draw: st.DrawFn) -> None:
    """A factor for each channel, as squeeze-and-excitation has it; in the other order too."""
    size, channels = [draw(st.integers(1, 4)) for _ in range(2)], draw(st.integers(1, 9))
    x = net.input((1, *size, channels), draw(scales), draw(zero_points))
    factors = net.input(draw(st.sampled_from([(1, 1, 1, channels), (channels,)])), draw(scales), draw(zero_points))
    y = net.output((1, *size, channels), draw(scales), draw(zero_points))
    pair = [x, factors] if draw(st.integers(0, 3)) else [factors, x]
    net.op("MUL", pair, y, ops.Binary(draw(activations)))


def softmax(net: Net, draw: st.DrawFn) -> None:
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 20)))
    x = net.input(shape, draw(st.sampled_from([0.0039, 0.02, 0.0977, 0.5, 4.0])), draw(zero_points))
    y = net.output(shape, 1 / 256, -128)
    net.op("SOFTMAX", [x], y, ops.Softmax(draw(st.sampled_from([1.0, 0.5, 2.0]))))


def mean(net: Net, draw: st.DrawFn) -> None:
    shape = [1, *(draw(st.integers(1, 6)) for _ in range(3))]
    axes = draw(st.sampled_from([(1, 2), (2, 1), (-3, -2), (1,), (2,), (3,), (2, 3)]))
    keep = draw(st.booleans())
    gone = {axis % 4 for axis in axes}
    out = [1 if i in gone else n for i, n in enumerate(shape) if keep or i not in gone]
    same = draw(st.booleans())
    scale, zero = draw(scales), draw(zero_points)
    x = net.input(shape, scale, zero)
    y = net.output(out, scale if same else draw(scales), zero if same else draw(zero_points))
    net.op("MEAN", [x, net.ints(np.array(axes, np.int32))], y, ops.Reduce(keep))


def table(net: Net, draw: st.DrawFn) -> None:
    kind = draw(st.sampled_from(["RELU", "RELU6", "QUANTIZE", "LOGISTIC", "TANH", "HARD_SWISH", "LEAKY_RELU"]))
    shape = (1, 256)
    scale, zero = draw(scales), draw(zero_points)
    x = net.input(shape, scale, zero)
    fixed = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0), "RELU6": (scale, zero)}
    free = (draw(scales), draw(zero_points))
    y = net.output(shape, *fixed.get(kind, free))
    attrs = ops.LeakyRelu(draw(st.sampled_from([0.1, 0.3, -0.2, 1.5]))) if kind == "LEAKY_RELU" else None
    net.op(kind, [x], y, attrs)


def pad(net: Net, draw: st.DrawFn) -> None:
    shape = [1, *(draw(st.integers(1, 5)) for _ in range(3))]
    amounts = np.array([[0, 0], *([draw(st.integers(0, 3)) for _ in range(2)] for _ in range(3))], np.int32)
    scale, zero = draw(scales), draw(zero_points)
    x = net.input(shape, scale, zero)
    y = net.output([n + int(a.sum()) for n, a in zip(shape, amounts, strict=True)], scale, zero)
    if draw(st.booleans()):
        net.op("PAD", [x, net.ints(amounts)], y)
    else:
        net.op("PADV2", [x, net.ints(amounts), net.constant((1,), scale, zero)], y)


def transpose(net: Net, draw: st.DrawFn) -> None:
    shape = [draw(st.integers(1, 5)) for _ in range(draw(st.integers(2, 4)))]
    order = draw(st.permutations(range(len(shape))))
    x = net.input(shape, 0.5, 3)
    y = net.output([shape[i] for i in order], 0.5, 3)
    net.op("TRANSPOSE", [x, net.ints(np.array(order, np.int32))], y)


def concatenation(net: Net, draw: st.DrawFn) -> None:
    shape = [1, *(draw(st.integers(1, 4)) for _ in range(3))]
    axis, count = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    parts = [[draw(st.integers(1, 4)) if i == axis else n for i, n in enumerate(shape)] for _ in range(count)]
    inputs = [net.input(part, 0.5, 3) for part in parts]
    total = [sum(p[i] for p in parts) if i == axis else n for i, n in enumerate(shape)]
    y = net.output(total, 0.5, 3)
    net.op("CONCATENATION", inputs, y, ops.Concatenation(axis if draw(st.booleans()) else axis - 4))


def not_empty(size: int) -> list[tuple[int, int, int]]:
    """All (begin, end, step) that take an element of an axis."""
    every = product(range(-size, size), range(-size - 1, size + 2), (1, 2, 3, -1))
    return [(begin, end, step) for begin, end, step in every if range(*slice(begin, end, step).indices(size))]


def strided_slice(net: Net, draw: st.DrawFn) -> None:
    shape = [1, *(draw(st.integers(1, 6)) for _ in range(3))]
    taken = [draw(st.sampled_from(not_empty(n))) for n in shape]
    open_end = [draw(st.booleans()) and step > 0 for _, _, step in taken]
    ends = [None if is_open else end for is_open, (_, end, _) in zip(open_end, taken, strict=True)]
    mask = sum(1 << axis for axis, is_open in enumerate(open_end) if is_open)
    slices = tuple(slice(begin, end, step) for end, (begin, _, step) in zip(ends, taken, strict=True))
    x = net.input(shape, 0.5, 3)
    limits = [net.ints(np.array(values, np.int32)) for values in zip(*taken, strict=True)]
    y = net.output(np.zeros(shape)[slices].shape, 0.5, 3)
    net.op("STRIDED_SLICE", [x, *limits], y, ops.StridedSlice(end_mask=mask))


def packed(net: Net, draw: st.DrawFn) -> None:
    shape = [draw(st.integers(1, 4)) for _ in range(draw(st.integers(1, 3)))]
    count, axis = draw(st.integers(1, 3)), draw(st.integers(0, len(shape)))
    inputs = [net.input(shape, 0.5, 3) for _ in range(count)]
    y = net.output([*shape[:axis], count, *shape[axis:]], 0.5, 3)
    net.op("PACK", inputs, y, ops.Pack(count, axis))


def split(net: Net, draw: st.DrawFn) -> None:
    shape = [1, *(draw(st.integers(1, 4)) for _ in range(draw(st.integers(1, 3))))]
    axis, parts = draw(st.integers(1, len(shape) - 1)), draw(st.integers(1, 3))
    x = net.input([n * parts if i == axis else n for i, n in enumerate(shape)], 0.5, 3)
    outputs = tuple(net.output(shape, 0.5, 3) for _ in range(parts))
    place = net.ints(np.array(axis if draw(st.booleans()) else axis - len(shape), np.int32))
    net.ops.append(Op("SPLIT", (place, x), outputs, ops.Split(parts)))


def gather(net: Net, draw: st.DrawFn) -> None:
    shape = [1, *(draw(st.integers(1, 5)) for _ in range(draw(st.integers(1, 3))))]
    axis = draw(st.integers(1, len(shape) - 1))
    indices = [draw(st.integers(0, shape[axis] - 1)) for _ in range(draw(st.integers(1, 6)))]
    x = net.input(shape, 0.5, 3)
    y = net.output([*shape[:axis], len(indices), *shape[axis + 1 :]], 0.5, 3)
    net.op("GATHER", [x, net.ints(np.array(indices, np.int32))], y, ops.Gather(axis))


def resize(net: Net, draw: st.DrawFn) -> None:
    kind = draw(st.sampled_from(["RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"]))
    size, out = ([draw(st.integers(1, 12)) for _ in range(2)] for _ in range(2))
    channels, zero = draw(st.integers(1, 4)), draw(zero_points)
    x = net.input((1, *size, channels), 0.5, zero)
    y = net.output((1, *out, channels), 0.5, zero)
    attrs = draw(st.sampled_from([ops.Resize(), ops.Resize(True, False), ops.Resize(False, True)]))
    net.op(kind, [x, net.ints(np.array(out, np.int32))], y, attrs)


def prelu(net: Net, draw: st.DrawFn) -> None:
    shape = (1, *(draw(st.integers(1, 5)) for _ in range(2)), draw(st.integers(1, 64)))
    x = net.input(shape, draw(scales), draw(zero_points))
    alpha = net.constant((1, 1, shape[3]) if draw(st.booleans()) else shape[1:], draw(scales), draw(zero_points))
    net.op("PRELU", [x, alpha], net.output(shape, draw(scales), draw(zero_points)))


def extremum(net: Net, draw: st.DrawFn) -> None:
    shape = [1, *(draw(st.integers(1, 5)) for _ in range(3))]
    other = [1 if draw(st.booleans()) else n for n in shape]
    a = net.input(shape, 0.5, 3)
    b = (net.constant if draw(st.booleans()) else net.input)(other, 0.5, 3)
    pair = [a, b] if draw(st.booleans()) else [b, a]
    net.op(draw(st.sampled_from(["MAXIMUM", "MINIMUM"])), pair, net.output(shape, 0.5, 3))


def transpose_conv(net: Net, draw: st.DrawFn) -> None:
    size = [draw(st.integers(1, 6)) for _ in range(2)]
    kernel, stride = ([draw(st.integers(1, most)) for _ in range(2)] for most in (4, 3))
    cin, cout, padding = draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(paddings)
    out = [n * s for n, s in zip(size, stride, strict=True)]
    if padding is ops.Padding.VALID:
        out = [(n - 1) * s + k for n, s, k in zip(size, stride, kernel, strict=True)]
    x = net.input((1, *size, cin), draw(scales), draw(zero_points))
    weights = net.weights((cout, *kernel, cin), draw(st.sampled_from([None, 0])))
    y = net.output((1, *out, cout), draw(scales), draw(zero_points))
    shape = net.ints(np.array((1, *out, cout), np.int32))
    bias = [net.bias(weights, x, cout)] if draw(st.booleans()) else []
    net.op("TRANSPOSE_CONV", [shape, weights, x, *bias], y, ops.TransposeConv(stride[0], stride[1], padding))


CASES = [
    conv,
    depthwise,
    fully_connected,
    pool,
    binary,
    mul_channels,
    softmax,
    mean,
    table,
    pad,
    transpose,
    concatenation,
    strided_slice,
    packed,
    split,
    gather,
    resize,
    prelu,
    extremum,
    transpose_conv,
]


@pytest.mark.parametrize("add_case", [split, prelu, extremum, transpose_conv], ids=lambda case: case.__name__)
def test_ops_survive_the_file(add_case: AddCase) -> None:
    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    @given(graph=graphs(add_case))
    def check(graph: Graph) -> None:
        assert read_tflite(write_tflite(graph)).ops == graph.ops

    check()


@pytest.mark.parametrize("add_case", CASES, ids=lambda case: case.__name__)
def test_op_is_bit_exact(add_case: AddCase, worker: TflmWorker) -> None:
    """Outputs lie as far over their inputs as the planner would ever let them."""

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(graph=graphs(add_case))
    def check(graph: Graph) -> None:
        assert_same_bytes(graph, worker)

    check()
