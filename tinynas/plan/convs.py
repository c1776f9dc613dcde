"""Convolutions as the planner sees them: shapes that say what a kernel takes, of the whole image or a band of it.

Networks of a search consist of a few thousand different convolutions: each one's figures are computed once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tinynas.errors import ModelError
from tinynas.graph.ir import DType, Graph, Op, Tensor
from tinynas.graph.ops import Attrs, Conv2D, DepthwiseConv2D
from tinynas.lab.board import Core
from tinynas.plan.fusion import banded
from tinynas.plan.kernels import Kernel, choose, kernel, refusal
from tinynas.plan.plan import Band
from tinynas.plan.rows import Heights
from tinynas.plan.window import window_of

Shape = tuple[int, ...]
_MANY = 1 << 16


@dataclass(frozen=True)
class Conv:
    """CONV_2D or DEPTHWISE_CONV_2D without its numbers."""

    kind: str
    attrs: Attrs
    x: Shape
    weights: Shape
    bias: bool
    y: Shape

    @classmethod
    def of(cls, graph: Graph, op: Op) -> Conv:
        x, weights, *bias = (graph.tensors[i] if i >= 0 else None for i in op.inputs)
        assert x is not None and weights is not None
        has_bias = any(tensor is not None for tensor in bias)
        return cls(op.kind, op.attrs, x.shape, weights.shape, has_bias, graph.tensors[op.outputs[0]].shape)

    @property
    def line_bytes(self) -> tuple[int, int]:
        """Of one row: of the input, of the output."""
        return self.x[2] * self.x[3], self.y[2] * self.y[3]

    def graph(self) -> tuple[Graph, Op]:
        """A weightless graph of this op alone."""
        tensors = [
            Tensor("x", self.x, DType.INT8),
            Tensor("weights", self.weights, DType.INT8, const=True),
            Tensor("y", self.y, DType.INT8),
        ]
        if self.bias:
            tensors.append(Tensor("bias", (self.y[-1],), DType.INT32, const=True))
        op = Op(self.kind, (0, 1, 3) if self.bias else (0, 1), (2,), self.attrs)
        return Graph(tuple(tensors), (op,), (0,), (2,)), op


Link = tuple[str, Conv]  # the kernel that computes it, and the convolution


@dataclass(frozen=True)
class ConvFacts:
    """What a kernel takes for a whole convolution."""

    scratch_bytes: int
    lead_bytes: int | None
    const_bytes: int


@dataclass(frozen=True)
class BandFacts:
    """What a kernel takes for a band of a convolution's rows."""

    scratch_bytes: int
    const_bytes: int
    refused: bool


def is_conv(op: Op) -> bool:
    """Whether bands are defined for `op`."""
    return isinstance(op.attrs, Conv2D | DepthwiseConv2D)


def conv_kernel(graph: Graph, index: int, core: Core) -> Kernel:
    """`choose` for a convolution; without weights, equal shapes are decided once."""
    op = graph.ops[index]
    tensors = [graph.tensors[i] for i in (*op.inputs[:2], op.outputs[0]) if i >= 0]
    plain = all(tensor.data is None and tensor.dtype is DType.INT8 for tensor in tensors) and tensors[1].const
    name = _chosen(Conv.of(graph, op), core) if plain else None
    return choose(graph, index, core) if name is None else kernel(name)


@lru_cache(maxsize=_MANY)
def _chosen(conv: Conv, core: Core) -> str | None:
    """None if no kernel computes it: which op of the graph that is, is not known here."""
    try:
        return choose(conv.graph()[0], 0, core).name
    except ModelError:
        return None


@lru_cache(maxsize=_MANY)
def conv_facts(name: str, conv: Conv) -> ConvFacts:
    """Figures of the kernel called `name` for the whole of `conv`."""
    graph, op = conv.graph()
    used = kernel(name)
    return ConvFacts(used.scratch_bytes(graph, op), used.lead_bytes(graph, op, 0), used.const_bytes(graph, op))


@lru_cache(maxsize=_MANY)
def heights(conv: Conv) -> Heights:
    """The vertical part of its window."""
    window = window_of(*conv.graph())
    return Heights(
        window.in_shape[0],
        window.out_shape[0],
        window.kernel[0],
        window.stride[0],
        window.dilation[0],
        window.pad[0],
    )


def band_facts(name: str, conv: Conv, band: Band) -> BandFacts:
    """Figures of the kernel called `name` for `band` of `conv`; bands that are padded alike are alike."""
    tall = heights(conv)
    first = min(band.out_rows[0], -(-tall.pad // tall.stride))
    return _band_facts(name, conv, band.in_rows[1] - band.in_rows[0], band.out_rows[1] - band.out_rows[0], first)


@lru_cache(maxsize=4 * _MANY)
def _band_facts(name: str, conv: Conv, in_rows: int, out_rows: int, first: int) -> BandFacts:
    part, op = banded(*conv.graph(), Band((0, in_rows), (first, first + out_rows), 0, 0))
    used = kernel(name)
    return BandFacts(used.scratch_bytes(part, op), used.const_bytes(part, op), refusal(part, op, used) is not None)
