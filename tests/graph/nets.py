"""Networks for tests: a builder of float graphs op by op, random chains of it, and quantised ones."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from tinynas.graph import ops
from tinynas.graph.float_run import Floats
from tinynas.graph.ir import DType, Graph, Op, Tensor
from tinynas.graph.lower import bind, lower
from tinynas.graph.ops import Activation, Attrs, Padding
from tinynas.graph.shapes import windows
from tinynas.quantize.calibrate import collect_ranges
from tinynas.quantize.ptq import quantize
from tinynas.space.netspec import BlockSpec, NetSpec

SMALL_SPEC = NetSpec(
    input_shape=(13, 11, 3),
    classes=3,
    stem_channels=8,
    stem_stride=2,
    stages=(
        (BlockSpec(8, 8, 12, 3, 1),),
        (BlockSpec(12, 24, 16, 5, 2), BlockSpec(16, 48, 16, 3, 1)),
        (BlockSpec(16, 32, 20, 7, 2),),
    ),
    head_channels=24,
)


def float_net(spec: NetSpec = SMALL_SPEC, seed: int = 0) -> Graph:
    """`spec` with weights whose activations neither vanish nor explode (He, arXiv 1502.01852)."""
    rng = np.random.default_rng(seed)
    graph = lower(spec, DType.FLOAT32)
    return bind(graph, {t.name: he_weights(t.shape, rng) for t in graph.tensors if t.const and t.data is None})


def he_weights(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Normal with variance 2 / fan-in; small normal for biases."""
    if len(shape) == 1:
        return rng.normal(0, 0.1, shape).astype(np.float32)
    fan_in = np.prod(shape[1:-1]) if shape[0] == 1 else np.prod(shape[1:])
    return rng.normal(0, np.sqrt(2 / max(1, int(fan_in))), shape).astype(np.float32)


def samples_for(graph: Graph, count: int, seed: int = 0) -> Floats:
    """Uniform pixels / 255 for the one input of a float graph."""
    shape = graph.tensors[graph.inputs[0]].shape[1:]
    pixels = np.random.default_rng(seed).integers(0, 256, (count, *shape))
    return (pixels / 255).astype(np.float32)


def int8_net(spec: NetSpec = SMALL_SPEC, seed: int = 0) -> Graph:
    graph = float_net(spec, seed)
    return quantize(graph, collect_ranges(graph, samples_for(graph, 16, seed)))


@dataclass
class Chain:
    """Builds a float graph op by op; `at` is the tensor that the next op reads."""

    rng: np.random.Generator
    tensors: list[Tensor] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    at: int = 0

    @staticmethod
    def start(shape: tuple[int, ...], seed: int = 0) -> Chain:
        chain = Chain(np.random.default_rng(seed))
        chain.at = chain.value("input", shape)
        return chain

    @property
    def shape(self) -> tuple[int, ...]:
        return self.tensors[self.at].shape

    def value(self, name: str, shape: tuple[int, ...]) -> int:
        self.tensors.append(Tensor(name, shape, DType.FLOAT32))
        return len(self.tensors) - 1

    def floats(self, shape: tuple[int, ...]) -> int:
        data = he_weights(shape, self.rng)
        self.tensors.append(Tensor(f"c{len(self.tensors)}", shape, DType.FLOAT32, data=data, const=True))
        return len(self.tensors) - 1

    def ints(self, values: list[int] | list[list[int]]) -> int:
        data = np.array(values, np.int32)
        self.tensors.append(Tensor(f"c{len(self.tensors)}", data.shape, DType.INT32, data=data, const=True))
        return len(self.tensors) - 1

    def op(
        self, kind: str, shape: tuple[int, ...], attrs: Attrs | None = None, inputs: tuple[int, ...] | None = None
    ) -> Chain:
        """Append an op from `inputs` (default: the current tensor) to a new tensor of `shape`."""
        read = (self.at,) if inputs is None else inputs
        self.at = self.value(f"t{len(self.tensors)}", shape)
        self.ops.append(Op(kind, read, (self.at,), attrs or ops.NoAttrs()))
        return self

    def conv(
        self,
        channels: int,
        kernel: int = 3,
        stride: int = 1,
        padding: Padding = Padding.SAME,
        activation: Activation = Activation.RELU,
    ) -> Chain:
        _, h, w, cin = self.shape
        out = (1, windows(h, kernel, stride, padding), windows(w, kernel, stride, padding), channels)
        constants = (self.floats((channels, kernel, kernel, cin)), self.floats((channels,)))
        return self.op("CONV_2D", out, ops.Conv2D(stride, stride, padding, activation), (self.at, *constants))

    def depthwise(
        self,
        kernel: int = 3,
        stride: int = 1,
        multiplier: int = 1,
        padding: Padding = Padding.SAME,
        activation: Activation = Activation.RELU6,
    ) -> Chain:
        _, h, w, c = self.shape
        out = (1, windows(h, kernel, stride, padding), windows(w, kernel, stride, padding), c * multiplier)
        constants = (self.floats((1, kernel, kernel, c * multiplier)), self.floats((c * multiplier,)))
        attrs = ops.DepthwiseConv2D(stride, stride, padding, activation, multiplier)
        return self.op("DEPTHWISE_CONV_2D", out, attrs, (self.at, *constants))

    def pool(self, kind: str, kernel: int, stride: int, padding: Padding = Padding.VALID) -> Chain:
        _, h, w, c = self.shape
        out = (1, windows(h, kernel, stride, padding), windows(w, kernel, stride, padding), c)
        return self.op(kind, out, ops.Pool2D(kernel, kernel, stride, stride, padding))

    def dense(self, classes: int, activation: Activation = Activation.NONE, bias: bool = True) -> Chain:
        constants = (self.floats((classes, self.shape[-1])), *((self.floats((classes,)),) if bias else ()))
        return self.op("FULLY_CONNECTED", (1, classes), ops.FullyConnected(activation), (self.at, *constants))

    def residual(self, kind: str, activation: Activation = Activation.NONE) -> Chain:
        """x op conv(x)."""
        before = self.at
        self.conv(self.shape[-1], activation=Activation.NONE)
        return self.op(kind, self.shape, ops.Binary(activation), (before, self.at))

    def pad(self, amounts: list[list[int]]) -> Chain:
        shape = tuple(side + sum(pair) for side, pair in zip(self.shape, amounts, strict=True))
        return self.op("PAD", shape, None, (self.at, self.ints(amounts)))

    def mean(self, keep_dims: bool = False) -> Chain:
        batch, _, _, c = self.shape
        shape = (batch, 1, 1, c) if keep_dims else (batch, c)
        return self.op("MEAN", shape, ops.Reduce(keep_dims), (self.at, self.ints([1, 2])))

    def flatten(self) -> Chain:
        shape = (1, int(np.prod(self.shape)))
        return self.op("RESHAPE", shape, ops.Reshape(shape), (self.at, self.ints(list(shape))))

    def concat_with_conv(self, axis: int = -1) -> Chain:
        before, shape = self.at, self.shape
        self.conv(shape[-1])
        doubled = list(shape)
        doubled[axis] *= 2
        return self.op("CONCATENATION", tuple(doubled), ops.Concatenation(axis), (before, self.at))

    def graph(self) -> Graph:
        return Graph(tuple(self.tensors), tuple(self.ops), (0,), (self.at,), "main", {"made by": "test"})


def _step(chain: Chain, draw: st.DrawFn) -> None:  # one random op that fits where the chain is
    side = min(chain.shape[1:3])
    padding = draw(st.sampled_from(list(Padding)))
    kernel = draw(st.sampled_from([k for k in (1, 2, 3, 5) if k <= side]))
    stride = draw(st.sampled_from([1, 2]))
    activation = draw(st.sampled_from([Activation.NONE, Activation.RELU, Activation.RELU6]))
    kind = draw(st.sampled_from(["conv", "depthwise", "pool", "residual", "pad", "concat", "unary"]))
    if kind == "conv":
        chain.conv(draw(st.integers(1, 9)), kernel, stride, padding, activation)
    elif kind == "depthwise":
        chain.depthwise(kernel, stride, draw(st.sampled_from([1, 2])), padding, activation)
    elif kind == "pool":
        chain.pool(draw(st.sampled_from(["AVERAGE_POOL_2D", "MAX_POOL_2D"])), kernel, stride, padding)
    elif kind == "residual":
        chain.residual(draw(st.sampled_from(["ADD", "SUB", "MUL"])), activation)
    elif kind == "pad":
        chain.pad([[0, 0], [draw(st.integers(0, 2)), 1], [0, draw(st.integers(0, 2))], [0, 0]])
    elif kind == "concat":
        chain.concat_with_conv()
    else:
        chain.op(draw(st.sampled_from(["RELU", "RELU6"])), chain.shape)


@st.composite
def float_graphs(draw: st.DrawFn, max_steps: int = 5) -> Graph:
    """Random small float networks on odd, unequal sides."""
    shape = (1, draw(st.integers(3, 9)), draw(st.integers(3, 9)), draw(st.integers(1, 4)))
    chain = Chain.start(shape, draw(st.integers(0, 2**32 - 1)))
    for _ in range(draw(st.integers(1, max_steps))):
        _step(chain, draw)
    if draw(st.booleans()):
        chain.mean(keep_dims=True).flatten().dense(draw(st.integers(1, 5)))
        chain.op("SOFTMAX", chain.shape, ops.Softmax())
    return chain.graph()
