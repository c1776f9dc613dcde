"""Self-made twins of well-known int8 models: the same layers and shapes, with seeded weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.ir import DType, Graph, Op, Tensor
from tinynas.graph.ops import (
    Activation,
    Attrs,
    Binary,
    Conv2D,
    DepthwiseConv2D,
    FullyConnected,
    NoAttrs,
    Padding,
    Pool2D,
    Reduce,
    Reshape,
    Softmax,
)
from tinynas.graph.tflite_writer import write_tflite
from tinynas.quantize.calibrate import collect_ranges
from tinynas.quantize.ptq import quantize

CALIBRATION_SAMPLES = 8


class FloatNet:
    """Builds a float Graph op by op; a value is its tensor index. He-initialised weights come from `rng`."""

    def __init__(self, input_shape: tuple[int, ...], rng: np.random.Generator) -> None:
        self.rng = rng
        self.tensors = [Tensor("input", (1, *input_shape), DType.FLOAT32)]
        self.ops: list[Op] = []

    def shape(self, value: int) -> tuple[int, ...]:
        """Shape of a value."""
        return self.tensors[value].shape

    def _const(self, data: NDArray[np.generic]) -> int:
        self.tensors.append(Tensor(f"c{len(self.tensors)}", data.shape, DType(data.dtype.name), data=data, const=True))
        return len(self.tensors) - 1

    def _weights(self, shape: tuple[int, ...], fan_in: int, channels: int) -> tuple[int, int]:
        weight = self.rng.normal(0, (2 / fan_in) ** 0.5, shape).astype(np.float32)
        return self._const(weight), self._const(self.rng.normal(0, 0.05, channels).astype(np.float32))

    def op(self, kind: str, inputs: tuple[int, ...], shape: tuple[int, ...], attrs: Attrs | None = None) -> int:
        """Append an op with one output of `shape`."""
        self.tensors.append(Tensor(f"t{len(self.tensors)}", shape, DType.FLOAT32))
        out = len(self.tensors) - 1
        self.ops.append(Op(kind, inputs, (out,), attrs or NoAttrs()))
        return out

    def _spatial(self, x: int, kernel: tuple[int, int], stride: int, padding: Padding) -> tuple[int, int]:
        _, h, w, _ = self.shape(x)
        if padding is Padding.SAME:
            return -(-h // stride), -(-w // stride)
        return (h - kernel[0]) // stride + 1, (w - kernel[1]) // stride + 1

    def conv(
        self,
        x: int,
        channels: int,
        kernel: tuple[int, int] = (1, 1),
        stride: int = 1,
        activation: Activation = Activation.RELU,
        padding: Padding = Padding.SAME,
    ) -> int:
        """CONV_2D."""
        cin = self.shape(x)[3]
        weights = self._weights((channels, *kernel, cin), cin * kernel[0] * kernel[1], channels)
        shape = (1, *self._spatial(x, kernel, stride, padding), channels)
        return self.op("CONV_2D", (x, *weights), shape, Conv2D(stride, stride, padding, activation))

    def depthwise(
        self,
        x: int,
        side: int = 3,
        stride: int = 1,
        activation: Activation = Activation.RELU,
        padding: Padding = Padding.SAME,
        multiplier: int = 1,
    ) -> int:
        """DEPTHWISE_CONV_2D."""
        channels = self.shape(x)[3] * multiplier
        weights = self._weights((1, side, side, channels), side * side, channels)
        shape = (1, *self._spatial(x, (side, side), stride, padding), channels)
        attrs = DepthwiseConv2D(stride, stride, padding, activation, multiplier)
        return self.op("DEPTHWISE_CONV_2D", (x, *weights), shape, attrs)

    def pad(self, x: int, amount: int) -> int:
        """PAD of height and width by `amount` on each side."""
        _, h, w, c = self.shape(x)
        paddings = np.array([[0, 0], [amount, amount], [amount, amount], [0, 0]], np.int32)
        return self.op("PAD", (x, self._const(paddings)), (1, h + 2 * amount, w + 2 * amount, c))

    def add(self, a: int, b: int, activation: Activation = Activation.NONE) -> int:
        """ADD of two values of one shape."""
        return self.op("ADD", (a, b), self.shape(a), Binary(activation))

    def pool(self, x: int) -> int:
        """AVERAGE_POOL_2D over the whole image."""
        _, h, w, c = self.shape(x)
        return self.op("AVERAGE_POOL_2D", (x,), (1, 1, 1, c), Pool2D(h, w, h, w))

    def mean(self, x: int) -> int:
        """MEAN over the last axis."""
        shape = self.shape(x)
        return self.op("MEAN", (x, self._const(np.array([len(shape) - 1], np.int32))), shape[:-1], Reduce())

    def transpose(self, x: int, order: tuple[int, ...]) -> int:
        """TRANSPOSE."""
        shape = tuple(self.shape(x)[axis] for axis in order)
        return self.op("TRANSPOSE", (x, self._const(np.array(order, np.int32))), shape)

    def flatten(self, x: int) -> int:
        """RESHAPE to [1, elements]."""
        shape = (1, int(np.prod(self.shape(x))))
        return self.op("RESHAPE", (x, self._const(np.array(shape, np.int32))), shape, Reshape(shape))

    def linear(self, x: int, units: int, activation: Activation = Activation.NONE) -> int:
        """FULLY_CONNECTED."""
        cin = self.shape(x)[-1]
        weights = self._weights((units, cin), cin, units)
        return self.op("FULLY_CONNECTED", (x, *weights), (1, units), FullyConnected(activation))

    def softmax(self, x: int) -> int:
        """SOFTMAX."""
        return self.op("SOFTMAX", (x,), self.shape(x), Softmax())

    def graph(self, name: str) -> Graph:
        """The finished float Graph: the last op's output is the network's."""
        return Graph(tuple(self.tensors), tuple(self.ops), (0,), self.ops[-1].outputs, name)


def _mobilenet_v1(net: FloatNet, x: int) -> int:
    for channels, stride in (
        [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
    ):
        x = net.conv(net.depthwise(x, 3, stride), channels // 4)
    return net.pool(x)


def vww(rng: np.random.Generator) -> Graph:
    """MLPerf Tiny visual wake words: MobileNetV1 0.25, 96x96x3."""
    net = FloatNet((96, 96, 3), rng)
    x = _mobilenet_v1(net, net.conv(0, 8, (3, 3), 2))
    net.softmax(net.linear(net.flatten(x), 2))
    return net.graph("vww")


def person(rng: np.random.Generator) -> Graph:
    """TFLite Micro person detection: its first layer is a depthwise convolution of multiplier 8, 96x96x1."""
    net = FloatNet((96, 96, 1), rng)
    x = _mobilenet_v1(net, net.depthwise(0, 3, 2, multiplier=8))
    net.softmax(net.flatten(net.conv(x, 2, activation=Activation.NONE)))
    return net.graph("person")


def kws(rng: np.random.Generator) -> Graph:
    """MLPerf Tiny keyword spotting: DS-CNN, 49x10x1."""
    net = FloatNet((49, 10, 1), rng)
    x = net.conv(0, 64, (10, 4), 2)
    for _ in range(4):
        x = net.conv(net.depthwise(x), 64)
    net.softmax(net.linear(net.flatten(net.pool(x)), 12))
    return net.graph("kws")


def resnet(rng: np.random.Generator) -> Graph:
    """MLPerf Tiny image classification: ResNet-8, 32x32x3."""
    net = FloatNet((32, 32, 3), rng)
    x = net.conv(0, 16, (3, 3))
    y = net.conv(net.conv(x, 16, (3, 3)), 16, (3, 3), activation=Activation.NONE)
    x = net.add(x, y, Activation.RELU)
    for channels in (32, 64):
        y = net.conv(net.conv(x, channels, (3, 3), 2), channels, (3, 3), activation=Activation.NONE)
        x = net.add(net.conv(x, channels, stride=2, activation=Activation.NONE), y, Activation.RELU)
    net.softmax(net.linear(net.flatten(net.pool(x)), 10))
    return net.graph("resnet")


def ad(rng: np.random.Generator) -> Graph:
    """MLPerf Tiny anomaly detection: an autoencoder of fully connected layers, 640."""
    net = FloatNet((640,), rng)
    x = 0
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = net.linear(x, units, Activation.RELU)
    net.linear(x, 640)
    return net.graph("ad")


# (output channels, hidden channels, kernel, stride) of each inverted residual
MCUNET_BLOCKS = [
    (16, 48, 3, 2), (16, 48, 3, 1), (16, 48, 3, 1), (24, 48, 7, 2), (24, 144, 3, 1), (24, 120, 5, 1),
    (40, 144, 7, 2), (40, 240, 7, 1), (48, 240, 3, 1), (48, 192, 3, 1), (96, 240, 5, 2), (96, 480, 3, 1),
    (96, 384, 3, 1), (160, 288, 7, 1),
]  # fmt: skip


def mcunet(rng: np.random.Generator) -> Graph:
    """mcunet-vww1 of TinyEngine, 80x80x3: explicit PAD before strided convolutions, as its file has."""
    net = FloatNet((80, 80, 3), rng)
    x = net.conv(net.pad(0, 1), 16, (3, 3), 2, Activation.RELU6, Padding.VALID)
    x = net.conv(net.depthwise(x, activation=Activation.RELU6), 8, activation=Activation.NONE)
    for channels, hidden, side, stride in MCUNET_BLOCKS:
        skip, y = x, net.conv(x, hidden, activation=Activation.RELU6)
        explicit = stride == 2 and net.shape(y)[1] % 2 == 0
        padding = Padding.VALID if explicit else Padding.SAME
        y = net.depthwise(net.pad(y, side // 2) if explicit else y, side, stride, Activation.RELU6, padding)
        x = net.conv(y, channels, activation=Activation.NONE)
        if stride == 1 and net.shape(x) == net.shape(skip):
            x = net.add(x, skip)
    x = net.mean(net.mean(net.transpose(x, (0, 3, 1, 2))))
    net.linear(x, 2)
    return net.graph("mcunet")


TWINS: dict[str, Callable[[np.random.Generator], Graph]] = {
    "vww": vww,
    "person": person,
    "kws": kws,
    "resnet": resnet,
    "ad": ad,
    "mcunet": mcunet,
}


def twin(name: str, seed: int = 0) -> bytes:
    """The int8 .tflite of the twin called `name`: random weights from `seed`, ranges from random inputs."""
    rng = np.random.default_rng(seed)
    graph = TWINS[name](rng)
    samples = rng.random((CALIBRATION_SAMPLES, *graph.tensors[0].shape[1:]), np.float32)
    return write_tflite(quantize(graph, collect_ranges(graph, samples)))
