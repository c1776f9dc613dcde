"""Ops for the Helium kernels, each with random constants, many side by side in one graph."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tests.engine.cases import Net, out_size
from tinynas.graph import ops
from tinynas.graph.ir import Graph
from tinynas.graph.ops import Activation, Padding
from tinynas.lab.board import Core
from tinynas.plan.arena import aligned
from tinynas.plan.kernels import kernel
from tinynas.plan.plan import Buffer, Plan
from tinynas.plan.planner import plan

ZERO_POINTS = (-128, -127, -5, 0, 126, 127)
# (input scale, output scale): with weights of 0.002 to 0.02, some factors of the last pair are above 1
SCALES = ((0.0039, 0.31), (0.0235, 0.05), (0.0235, 0.0039), (0.31, 0.0039))
ACTIVATIONS = (Activation.NONE, Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1)


@dataclass
class Mve:
    """A net that takes scales, zero points and activations in turn, so that few cases meet all of them."""

    net: Net
    turn: int = 0

    def input(self, *shape: int) -> int:
        return self.net.input(shape, SCALES[self.turn % len(SCALES)][0], ZERO_POINTS[self.turn % len(ZERO_POINTS)])

    def output(self, *shape: int) -> int:
        turn = self.turn
        zero_point = ZERO_POINTS[(turn // 2 + turn // 7) % len(ZERO_POINTS)]
        return self.net.output(shape, SCALES[turn % len(SCALES)][1], zero_point)

    def bias(self, weights: int, x: int, channels: int) -> int:
        """Of four layers one has a channel that training has switched off: a scale near 0, a bias near the limit."""
        quant = self.net.tensors[weights].quant
        assert quant is not None
        off = self.turn % 4 == 1 and len(quant.scale) > 1
        if off:
            quant.scale[0] = 1e-9
        bias = self.net.bias(weights, x, channels)
        if off:
            data = self.net.tensors[bias].data
            assert data is not None
            data[0] = 2**30 if self.turn % 8 == 1 else -(2**30)
        return bias

    def activation(self) -> Activation:
        self.turn += 1
        return ACTIVATIONS[(self.turn // 3) % len(ACTIVATIONS)]


def conv(
    cases: Mve,
    size: tuple[int, int],
    channels: tuple[int, int],
    kernel_size: tuple[int, int] = (1, 1),
    stride: tuple[int, int] = (1, 1),
    padding: Padding = Padding.SAME,
    dilation: tuple[int, int] = (1, 1),
) -> None:
    """CONV_2D; sizes are (height, width), channels (in, out)."""
    axes = zip(size, kernel_size, stride, dilation, strict=True)
    out = [out_size(*axis, padding) for axis in axes]
    x = cases.input(1, *size, channels[0])
    weights = cases.net.weights((channels[1], *kernel_size, channels[0]), 0 if cases.turn % 3 else None)
    bias = cases.bias(weights, x, channels[1])
    y = cases.output(1, *out, channels[1])
    attrs = ops.Conv2D(*stride, padding, cases.activation(), *dilation)
    cases.net.op("CONV_2D", [x, weights, bias], y, attrs)


def depthwise(
    cases: Mve,
    size: tuple[int, int],
    channels: int,
    kernel_size: tuple[int, int] = (3, 3),
    stride: tuple[int, int] = (1, 1),
    padding: Padding = Padding.SAME,
    multiplier: int = 1,
) -> None:
    """DEPTHWISE_CONV_2D of dilation 1."""
    out = [out_size(*axis, 1, padding) for axis in zip(size, kernel_size, stride, strict=True)]
    x = cases.input(1, *size, channels)
    weights = cases.net.weights((1, *kernel_size, channels * multiplier), 3 if cases.turn % 3 else None)
    bias = cases.bias(weights, x, channels * multiplier)
    y = cases.output(1, *out, channels * multiplier)
    attrs = ops.DepthwiseConv2D(*stride, padding, cases.activation(), multiplier)
    cases.net.op("DEPTHWISE_CONV_2D", [x, weights, bias], y, attrs)


def fully_connected(cases: Mve, rows: int, channels: tuple[int, int]) -> None:
    """FULLY_CONNECTED, with and without a bias."""
    x = cases.input(rows, channels[0])
    weights = cases.net.weights((channels[1], channels[0]), 0 if cases.turn % 2 else None)
    bias = cases.net.bias(weights, x, channels[1]) if cases.turn % 3 else -1
    y = cases.output(rows, channels[1])
    cases.net.op("FULLY_CONNECTED", [x, weights, bias], y, ops.FullyConnected(cases.activation()))


def add(cases: Mve, kind: str, elements: int, scales: tuple[float, float, float]) -> None:
    """ADD or SUB; scales of the two inputs and the output."""
    turn = cases.turn
    zeros = [ZERO_POINTS[(turn * step + step) % len(ZERO_POINTS)] for step in (1, 2, 5)]
    a = cases.net.input((1, elements), scales[0], zeros[0])
    b = cases.net.input((1, elements), scales[1], zeros[1])
    y = cases.net.output((1, elements), scales[2], zeros[2])
    cases.net.op(kind, [a, b], y, ops.Binary(cases.activation()))


def mul_channels(cases: Mve, size: tuple[int, int], channels: int) -> None:
    """MUL of a map by one factor per channel."""
    turn = cases.turn
    x = cases.net.input((1, *size, channels), 0.0235, ZERO_POINTS[turn % len(ZERO_POINTS)])
    factors = cases.net.input((1, 1, 1, channels), (0.0235, 0.1)[turn % 2], ZERO_POINTS[(turn + 1) % len(ZERO_POINTS)])
    y = cases.output(1, *size, channels)
    cases.net.op("MUL", [x, factors], y, ops.Binary(cases.activation()))


def table(cases: Mve, kind: str, elements: int) -> None:
    """A function of one value: HARD_SWISH, RELU, ..."""
    turn = cases.turn
    cases.turn += 1
    x = cases.net.input((1, elements), 0.0235, ZERO_POINTS[turn % len(ZERO_POINTS)])
    y = cases.net.output((1, elements), 0.02, ZERO_POINTS[(turn + 1) % len(ZERO_POINTS)])
    cases.net.op(kind, [x], y)


def average_pool(
    cases: Mve, size: tuple[int, int], channels: int, window: tuple[int, int], stride: tuple[int, int], padding: Padding
) -> None:
    """AVERAGE_POOL_2D; input and output have one scale and zero point."""
    scale, zero_point = SCALES[cases.turn % len(SCALES)][0], ZERO_POINTS[cases.turn % len(ZERO_POINTS)]
    out = [out_size(*axis, 1, padding) for axis in zip(size, window, stride, strict=True)]
    x = cases.net.input((1, *size, channels), scale, zero_point)
    y = cases.net.output((1, *out, channels), scale, zero_point)
    cases.net.op("AVERAGE_POOL_2D", [x], y, ops.Pool2D(*window, *stride, padding, cases.activation()))


def tight_plan(graph: Graph, core: Core) -> Plan:
    """Every op of a graph of unrelated ops in a region of its own, its output as far over its first input as allowed.

    Nothing hides an output that is written too early, as spare distance would in a plan of the whole graph.
    """
    base = plan(graph, core)
    at, buffers, steps = 0, {}, []
    for step in base.steps:
        op, output = graph.ops[step.ops[0]], step.outputs[0]
        size = aligned(graph.tensors[output].size_bytes)
        lead = kernel(step.kernel).lead_bytes(graph, op, 0)
        first = at + (size if lead is None else aligned(lead))
        buffers[output] = Buffer(at, size, 0, len(base.steps))
        end = at + size
        for tensor in dict.fromkeys(step.inputs):
            offset = first if tensor == step.inputs[0] else end
            buffers[tensor] = Buffer(offset, aligned(graph.tensors[tensor].size_bytes), 0, len(base.steps))
            end = max(end, offset + buffers[tensor].size_bytes)
        scratch = step.scratch and replace(step.scratch, offset=end)
        steps.append(replace(step, scratch=scratch))
        end += scratch.size_bytes if scratch else 0
        at = end
    return replace(base, steps=tuple(steps), buffers=buffers, arena_bytes=at)


def new_cases(seed: int) -> Mve:
    """An empty net."""
    return Mve(Net(np.random.default_rng(seed)))
