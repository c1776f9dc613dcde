"""`NetSpec` -> weightless `Graph`, and weights into it. Both dtypes give the same tensors and ops, in one order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import ModelError
from tinynas.graph import ops
from tinynas.graph.ir import DType, Graph, Op, Tensor
from tinynas.space.layers import layers
from tinynas.space.netspec import ActivationName, LayerSpec, NetSpec

_ACTIVATIONS: Mapping[ActivationName, ops.Activation] = {
    "none": ops.Activation.NONE,
    "relu": ops.Activation.RELU,
    "relu6": ops.Activation.RELU6,
    "hard_swish": ops.Activation.NONE,  # an op of its own follows
    # relu6(x + 3) / 6: the 3 is part of the bias, the 6 divides the weights of the convolution that reads the product
    "hard_sigmoid": ops.Activation.RELU6,
}


def lower(spec: NetSpec, dtype: DType = DType.INT8) -> Graph:
    """The graph of `spec` with constants that have sizes but no data, for planning before there are weights.

    `dtype` is INT8 (int32 biases, no quantisation parameters) or FLOAT32. A layer's output tensor has the
    layer's name; its constants are "<layer>.weight" [cout,kh,kw,cin] (depthwise [1,kh,kw,c], linear [cout,1,1,cin])
    and "<layer>.bias" [cout]. Before HARD_SWISH there is a tensor "<layer>.linear". The hard sigmoid's constants stand
    in those of other layers, as `nets` gives them: six times its value is computed.
    """
    builder = _Builder(dtype)
    builder.activation("input", (1, *spec.input_shape))
    chain = layers(spec)
    for layer in chain:
        _LOWERINGS[layer.kind](builder, layer)
    return builder.graph(chain[-1].name)


def bind(graph: Graph, weights: Mapping[str, NDArray[np.generic]]) -> Graph:
    """Fill the constants of a float32 `lower`ed graph. Raises `ModelError` on missing, unexpected or misshapen ones."""
    empty = {t.name: i for i, t in enumerate(graph.tensors) if t.const and t.data is None}
    missing, unexpected = sorted(empty.keys() - weights.keys()), sorted(weights.keys() - empty.keys())
    if missing or unexpected:
        raise ModelError(f"weights do not match the network: missing {missing}, unexpected {unexpected}")
    return graph.with_tensors({i: _filled(graph.tensors[i], weights[name]) for name, i in empty.items()})


def _filled(tensor: Tensor, data: NDArray[np.generic]) -> Tensor:
    if tuple(data.shape) != tensor.shape:
        raise ModelError(f"weight {tensor.name!r} has shape {list(data.shape)}, wanted {list(tensor.shape)}")
    return replace(tensor, data=np.ascontiguousarray(data, tensor.dtype.numpy))


class _Builder:
    """Tensors by name, in the order in which layers create them."""

    def __init__(self, dtype: DType) -> None:
        if dtype not in (DType.INT8, DType.FLOAT32):
            raise ModelError(f"a network lowers to int8 or float32, not {dtype}")
        self.dtype = dtype
        self.bias_dtype = DType.INT32 if dtype is DType.INT8 else DType.FLOAT32
        self.tensors: list[Tensor] = []
        self.index: dict[str, int] = {}
        self.ops: list[Op] = []

    def add(self, tensor: Tensor) -> int:
        assert tensor.name not in self.index, tensor.name
        self.tensors.append(tensor)
        self.index[tensor.name] = len(self.tensors) - 1
        return len(self.tensors) - 1

    def activation(self, name: str, shape: tuple[int, ...]) -> int:
        return self.add(Tensor(name, shape, self.dtype))

    def weights(self, layer: LayerSpec, shape: tuple[int, ...], channels: int) -> tuple[int, int]:
        weight = self.add(Tensor(f"{layer.name}.weight", shape, self.dtype, const=True))
        return weight, self.add(Tensor(f"{layer.name}.bias", (channels,), self.bias_dtype, const=True))

    def op(self, kind: str, inputs: tuple[int, ...], name: str, shape: tuple[int, ...], attrs: ops.Attrs) -> None:
        self.ops.append(Op(kind, inputs, (self.activation(name, shape),), attrs))

    def inputs(self, layer: LayerSpec) -> tuple[int, ...]:
        return tuple(self.index[name] for name in layer.inputs)

    def graph(self, output: str) -> Graph:
        return Graph(tuple(self.tensors), tuple(self.ops), (self.index["input"],), (self.index[output],))


def _conv(builder: _Builder, layer: LayerSpec) -> None:
    shape = (layer.out_shape[2], layer.kernel, layer.kernel, layer.in_shape[2])
    constants = builder.weights(layer, shape, layer.out_shape[2])
    attrs = ops.Conv2D(layer.stride, layer.stride, activation=_ACTIVATIONS[layer.activation])
    _activated(builder, layer, "CONV_2D", (*builder.inputs(layer), *constants), attrs)


def _depthwise(builder: _Builder, layer: LayerSpec) -> None:
    channels = layer.in_shape[2]
    constants = builder.weights(layer, (1, layer.kernel, layer.kernel, channels), channels)
    attrs = ops.DepthwiseConv2D(layer.stride, layer.stride, activation=_ACTIVATIONS[layer.activation])
    _activated(builder, layer, "DEPTHWISE_CONV_2D", (*builder.inputs(layer), *constants), attrs)


def _activated(builder: _Builder, layer: LayerSpec, kind: str, inputs: tuple[int, ...], attrs: ops.Attrs) -> None:
    """The op, and another one for an activation that TFLite does not fuse."""
    shape = (1, *layer.out_shape)
    if layer.activation != "hard_swish":
        builder.op(kind, inputs, layer.name, shape, attrs)
        return
    linear = f"{layer.name}.linear"
    builder.op(kind, inputs, linear, shape, attrs)
    builder.op("HARD_SWISH", (builder.index[linear],), layer.name, shape, ops.NoAttrs())


def _binary(kind: str, builder: _Builder, layer: LayerSpec) -> None:
    attrs = ops.Binary(_ACTIVATIONS[layer.activation])
    builder.op(kind, builder.inputs(layer), layer.name, (1, *layer.out_shape), attrs)


def _global_pool(builder: _Builder, layer: LayerSpec) -> None:
    height, width, _ = layer.in_shape
    attrs = ops.Pool2D(height, width, height, width)
    builder.op("AVERAGE_POOL_2D", builder.inputs(layer), layer.name, (1, *layer.out_shape), attrs)


def _linear(builder: _Builder, layer: LayerSpec) -> None:
    """A 1x1 convolution, then a reshape to [1, classes], which has the layer's name.

    Not FULLY_CONNECTED: its rescaling is rounded once by TensorFlow's reference kernels and twice by TFLite Micro's,
    while both round a convolution's twice.
    """
    classes = layer.out_shape[2]
    constants = builder.weights(layer, (classes, 1, 1, layer.in_shape[2]), classes)
    scores, attrs = f"{layer.name}.scores", ops.Conv2D(activation=_ACTIVATIONS[layer.activation])
    builder.op("CONV_2D", (*builder.inputs(layer), *constants), scores, (1, 1, 1, classes), attrs)
    shape = np.array([1, classes], np.int32)
    wanted = builder.add(Tensor(f"{layer.name}.shape", (2,), DType.INT32, data=shape, const=True))
    builder.op("RESHAPE", (builder.index[scores], wanted), layer.name, (1, classes), ops.Reshape((1, classes)))


def _softmax(builder: _Builder, layer: LayerSpec) -> None:
    builder.op("SOFTMAX", builder.inputs(layer), layer.name, (1, layer.out_shape[2]), ops.Softmax())


_LOWERINGS: dict[str, Callable[[_Builder, LayerSpec], None]] = {
    "conv": _conv,
    "depthwise": _depthwise,
    "add": partial(_binary, "ADD"),
    "mul": partial(_binary, "MUL"),
    "global_pool": _global_pool,
    "linear": _linear,
    "softmax": _softmax,
}
