"""Random small networks with branches, joins and views."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from tests.engine.cases import Net, out_size
from tinynas.graph import ops
from tinynas.graph.ir import Graph


@st.composite
def dags(draw: st.DrawFn, most_ops: int = 14) -> Graph:
    """Each op reads random earlier tensors; every tensor that nothing reads is an output."""
    net = Net(np.random.default_rng(draw(st.integers(0, 2**32 - 1))))
    size = (draw(st.integers(2, 7)), draw(st.integers(2, 7)))
    images = [net.input((1, *size, draw(st.integers(1, 6))), 0.05, -3) for _ in range(draw(st.integers(1, 2)))]
    for _ in range(draw(st.integers(1, most_ops))):
        images.append(draw(st.sampled_from(ADDERS))(net, draw, images))
    read = {i for op in net.ops for i in op.inputs}
    unread = tuple(i for op in net.ops for i in op.outputs if i not in read)
    return replace(net.graph(), outputs=unread)


def conv(net: Net, draw: st.DrawFn, images: list[int]) -> int:
    x = draw(st.sampled_from(images))
    _, h, w, cin = net.tensors[x].shape
    kernel, stride, cout = draw(st.sampled_from([1, 1, 3])), draw(st.integers(1, 2)), draw(st.integers(1, 8))
    out = [out_size(n, kernel, stride, 1, ops.Padding.SAME) for n in (h, w)]
    weights = net.weights((cout, kernel, kernel, cin), 0)
    y = net.tensor((1, *out, cout), 0.07, 4)
    net.op("CONV_2D", [x, weights, net.bias(weights, x, cout)], y, ops.Conv2D(stride, stride))
    return y


def depthwise(net: Net, draw: st.DrawFn, images: list[int]) -> int:
    x = draw(st.sampled_from(images))
    _, h, w, cin = net.tensors[x].shape
    kernel, stride = draw(st.sampled_from([3, 5])), draw(st.integers(1, 2))
    out = [out_size(n, kernel, stride, 1, ops.Padding.SAME) for n in (h, w)]
    weights = net.weights((1, kernel, kernel, cin), 3)
    y = net.tensor((1, *out, cin), 0.06, -7)
    net.op("DEPTHWISE_CONV_2D", [x, weights, net.bias(weights, x, cin)], y, ops.DepthwiseConv2D(stride, stride))
    return y


def add(net: Net, draw: st.DrawFn, images: list[int]) -> int:
    a = draw(st.sampled_from(images))
    shape = net.tensors[a].shape
    b = draw(st.sampled_from([i for i in images if net.tensors[i].shape == shape]))
    y = net.tensor(shape, 0.08, 1)
    net.op("ADD", [a, b], y, ops.Binary())
    return y


def relu(net: Net, draw: st.DrawFn, images: list[int]) -> int:
    x = draw(st.sampled_from(images))
    y = net.tensor(net.tensors[x].shape, 0.04, -128)
    net.op("RELU", [x], y)
    return y


def view(net: Net, draw: st.DrawFn, images: list[int]) -> int:
    """Height and width swapped, the bytes left as they are."""
    x = draw(st.sampled_from(images))
    _, h, w, c = net.tensors[x].shape
    quant = net.tensors[x].quant
    assert quant is not None
    y = net.tensor((1, w, h, c), float(quant.scale[0]), int(quant.zero_point[0]))
    shape = (1, w, h, c)
    net.op("RESHAPE", [x, net.ints(np.array(shape, np.int32))], y, ops.Reshape(shape))
    return y


ADDERS = [conv, depthwise, add, relu, view]
