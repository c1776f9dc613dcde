"""Random ops with random constants and quantisation, several side by side in one graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from tinynas.graph import ops
from tinynas.graph.ir import DType, Graph, Op, Quant, Tensor
from tinynas.graph.ops import Attrs, NoAttrs
from tinynas.lab.board import Core
from tinynas.plan.arena import aligned
from tinynas.plan.fusion import called_op
from tinynas.plan.kernels import kernel
from tinynas.plan.plan import Buffer, Plan
from tinynas.plan.planner import plan


@dataclass
class Net:
    """A graph under construction; `rng` fills the constants."""

    rng: np.random.Generator
    tensors: list[Tensor] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)

    def tensor(self, shape: Sequence[int], scale: float, zero_point: int) -> int:
        quant = Quant.per_tensor(scale, zero_point)
        return self._add(Tensor(f"t{len(self.tensors)}", tuple(shape), DType.INT8, quant))

    def input(self, shape: Sequence[int], scale: float, zero_point: int) -> int:
        self.inputs.append(self.tensor(shape, scale, zero_point))
        return self.inputs[-1]

    def output(self, shape: Sequence[int], scale: float, zero_point: int) -> int:
        self.outputs.append(self.tensor(shape, scale, zero_point))
        return self.outputs[-1]

    def constant(self, shape: Sequence[int], scale: float, zero_point: int) -> int:
        data = self.rng.integers(-128, 128, shape, np.int8)
        quant = Quant.per_tensor(scale, zero_point)
        return self._add(Tensor(f"k{len(self.tensors)}", tuple(shape), DType.INT8, quant, data, const=True))

    def weights(self, shape: Sequence[int], axis: int | None) -> int:
        scales = self.rng.uniform(0.002, 0.02, 1 if axis is None else shape[axis]).astype(np.float32)
        data = self.rng.integers(-127, 128, shape, np.int8)
        quant = Quant(scales, np.zeros(len(scales), np.int64), axis)
        return self._add(Tensor(f"w{len(self.tensors)}", tuple(shape), DType.INT8, quant, data, const=True))

    def bias(self, weights: int, x: int, channels: int) -> int:
        """int32, scaled as TFLite demands: input scale times weight scale."""
        weight_quant, x_quant = self.tensors[weights].quant, self.tensors[x].quant
        assert weight_quant is not None and x_quant is not None
        scales = (weight_quant.scale * x_quant.scale[0]).astype(np.float32)
        quant = Quant(scales, np.zeros(len(scales), np.int64), 0 if len(scales) > 1 else None)
        data = self.rng.integers(-5000, 5000, channels, np.int32)
        return self._add(Tensor(f"b{len(self.tensors)}", (channels,), DType.INT32, quant, data, const=True))

    def ints(self, values: NDArray[np.int32]) -> int:
        return self._add(Tensor(f"c{len(self.tensors)}", values.shape, DType.INT32, None, values, const=True))

    def op(self, kind: str, inputs: Sequence[int], output: int, attrs: Attrs | None = None) -> None:
        self.ops.append(Op(kind, tuple(inputs), (output,), attrs or NoAttrs()))

    def graph(self) -> Graph:
        return Graph(tuple(self.tensors), tuple(self.ops), tuple(self.inputs), tuple(self.outputs))

    def _add(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1


Draw = Callable[[st.SearchStrategy[int]], int]
AddCase = Callable[[Net, st.DrawFn], None]

zero_points = st.sampled_from([-128, -127, -5, 0, 3, 126, 127])
activations = st.sampled_from(list(ops.Activation))
scales = st.sampled_from([0.003921569, 0.0117, 0.0235294, 0.05, 0.31])


@st.composite
def graphs(draw: st.DrawFn, add_case: AddCase, cases: int = 6) -> Graph:
    """`cases` unrelated ops, each with its own inputs and outputs."""
    net = Net(np.random.default_rng(draw(st.integers(0, 2**32 - 1))))
    for _ in range(cases):
        add_case(net, draw)
    return net.graph()


def tight_plan(graph: Graph, core: Core = Core.HOST) -> Plan:
    """Every op of a graph of unrelated ops in a region of its own, its output as far over its first input as allowed.

    Nothing hides an output that is written too early, as spare distance would in a plan of the whole graph.
    """
    base = plan(graph, core)
    at, buffers, steps = 0, {}, []
    for step in base.steps:
        op, output = called_op(graph, step.ops), step.outputs[0]
        size = aligned(graph.tensors[output].size_bytes)
        lead = kernel(step.kernel).lead_bytes(graph, op, 0)
        first = at + (size if lead is None else aligned(lead))
        buffers[output] = Buffer(at, size, 0, len(base.steps))
        end = at + size
        for tensor in dict.fromkeys(step.inputs):
            offset = first if tensor == step.inputs[0] else end
            buffers[tensor] = Buffer(offset, aligned(graph.tensors[tensor].size_bytes), 0, len(base.steps))
            end = max(end, offset + buffers[tensor].size_bytes)
        for tensor in step.outputs[1:]:
            buffers[tensor] = Buffer(end, aligned(graph.tensors[tensor].size_bytes), 0, len(base.steps))
            end += buffers[tensor].size_bytes
        steps.append(replace(step, scratch=replace(step.scratch, offset=end)) if step.scratch else step)
        at = end + (step.scratch.size_bytes if step.scratch else 0)
    return replace(base, buffers=buffers, steps=tuple(steps), arena_bytes=at)


def same_out(size: int, stride: int) -> int:
    return -(-size // stride)


def valid_out(size: int, kernel_size: int, stride: int, dilation: int = 1) -> int:
    return (size - (kernel_size - 1) * dilation - 1) // stride + 1


def out_size(size: int, kernel_size: int, stride: int, dilation: int, padding: ops.Padding) -> int:
    if padding is ops.Padding.SAME:
        return same_out(size, stride)
    return valid_out(size, kernel_size, stride, dilation)
