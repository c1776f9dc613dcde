"""Several ops in one kernel call: what the kernel is asked for is again one op, which its parameters can express."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from tinynas.graph.ir import Graph, Op, Tensor
from tinynas.graph.ops import Conv2D, DepthwiseConv2D, NoAttrs
from tinynas.lab.board import Core
from tinynas.plan.kernels import VIEWS, choose, data_first, refusal
from tinynas.plan.ops import pad
from tinynas.plan.plan import Band, Step
from tinynas.plan.window import PaddedConv2D, PaddedDepthwiseConv2D, window_of

KEEP_ROWS = "keep_rows_s8"
Ops = tuple[int, ...]  # indices into Graph.ops, in execution order


def call_groups(graph: Graph, core: Core) -> list[Ops]:
    """The ops of each kernel call, in the graph's order; views need none. A PAD joins the convolution it feeds."""
    groups: list[Ops] = []
    for index, op in enumerate(graph.ops):
        before = groups[-1] if groups else ()
        if len(before) == 1 and _pads(graph, before[0], index, core):
            groups[-1] = (*before, index)
        elif op.kind not in VIEWS:
            groups.append((index,))
    return groups


def called_op(graph: Graph, ops: Ops) -> Op:
    """The one op that computes `ops`: a single one as it is, PAD and convolution as one with that padding."""
    if len(ops) == 1:
        return data_first(graph.ops[ops[0]])
    return _padded(graph, graph.ops[ops[0]], graph.ops[ops[1]])


def banded(graph: Graph, op: Op, band: Band | None) -> tuple[Graph, Op]:
    """What a kernel is asked for that computes a band of `op`: a graph with tensors of those rows, and the op on them.

    A convolution of some rows is a convolution: of the rows they read, padded above by what lies outside the image.
    """
    if band is None:
        return graph, op
    (first, end), (out_first, out_end) = band.in_rows, band.out_rows
    x, y = op.inputs[0], op.outputs[0]
    part = graph.with_tensors(
        {x: _rows(graph.tensors[x], end - first), y: _rows(graph.tensors[y], out_end - out_first)}
    )
    if not isinstance(op.attrs, Conv2D | DepthwiseConv2D):
        return part, op
    window = window_of(graph, op)
    above = max(0, window.pad[0] - out_first * window.stride[0])
    return part, replace(op, attrs=with_padding(op.attrs, (above, window.pad[1])))


def _rows(tensor: Tensor, count: int) -> Tensor:
    return replace(tensor, shape=(tensor.shape[0], count, *tensor.shape[2:]))


def asked_of_kernel(graph: Graph, step: Step) -> tuple[Graph, Op]:
    """The op that `step` computes, and the graph with the tensors it computes it on."""
    if step.kernel == KEEP_ROWS:
        return banded(graph, kept(step.inputs[0]), step.band)
    return banded(graph, called_op(graph, step.ops), step.band)


def kept(tensor: int) -> Op:
    """Rows of a tensor moved to the start of its buffer, as the op that the kernel KEEP_ROWS computes."""
    return Op("KEEP_ROWS", (tensor,), (tensor,), NoAttrs())


def _pads(graph: Graph, first: int, second: int, core: Core) -> bool:
    """Whether op `first` only pads for op `second`, a convolution whose kernel takes that padding instead."""
    filler, conv = graph.ops[first], graph.ops[second]
    if filler.kind not in ("PAD", "PADV2") or conv.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return False
    padded = filler.outputs[0]
    uses = [i for op in graph.ops for i in op.inputs if i == padded]
    if (
        conv.inputs[0] != padded
        or len(uses) > 1
        or padded in graph.outputs
        or not _fills_height_and_width(graph, filler)
    ):
        return False
    kernel, fused = choose(graph, second, core), _padded(graph, filler, conv)
    return _within_kernel(graph, fused) and refusal(graph, fused, kernel) is None


def _fills_height_and_width(graph: Graph, filler: Op) -> bool:
    """Real zeros around height and width, by known amounts: what a convolution's padding reads as."""
    x, amounts = graph.tensors[filler.inputs[0]], graph.tensors[filler.inputs[1]]
    if len(x.shape) != 4 or amounts.data is None or pad.amounts(graph, filler)[[0, 3]].any():
        return False
    return filler.kind == "PAD" or _fills_zero(graph, filler)


def _fills_zero(graph: Graph, filler: Op) -> bool:
    value, quant = graph.tensors[filler.inputs[2]].data, graph.tensors[filler.outputs[0]].quant
    return value is not None and quant is not None and int(value.ravel()[0]) == int(quant.zero_point[0])


def _within_kernel(graph: Graph, fused: Op) -> bool:
    """No window lies in the padding altogether; kernels may count on that."""
    window = window_of(graph, fused)
    for axis in (0, 1):
        span = (window.kernel[axis] - 1) * window.dilation[axis] + 1
        end = (window.out_shape[axis] - 1) * window.stride[axis] + span - window.pad[axis]
        if window.pad[axis] >= span or end - window.in_shape[axis] >= span:
            return False
    return True


def _padded(graph: Graph, filler: Op, conv: Op) -> Op:
    """`conv` reading what `filler` reads; its own SAME padding, if any, comes on top."""
    own, (top, left) = window_of(graph, conv).pad, pad.amounts(graph, filler)[1:3, 0]
    attrs = with_padding(conv.attrs, (own[0] + int(top), own[1] + int(left)))
    return replace(conv, inputs=(filler.inputs[0], *conv.inputs[1:]), attrs=attrs)


def with_padding(attrs: object, before: tuple[int, int]) -> PaddedConv2D | PaddedDepthwiseConv2D:
    """A convolution's attributes with explicit rows above and columns to the left."""
    assert isinstance(attrs, Conv2D | DepthwiseConv2D)
    values: dict[str, Any] = {f.name: getattr(attrs, f.name) for f in fields(attrs)} | {"before": before}
    return PaddedConv2D(**values) if isinstance(attrs, Conv2D) else PaddedDepthwiseConv2D(**values)
