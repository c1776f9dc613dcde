"""Output shapes by TFLite's rules, to refuse a file whose stated shapes are not what its ops give."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinynas.graph import ops
from tinynas.graph.ir import Graph, Op
from tinynas.graph.ops import Padding

Shape = tuple[int, ...]


def check_shapes(graph: Graph) -> None:
    """Raise ValueError naming the first op whose first output has another shape than its inputs and attributes give.

    Ops whose shape depends on computed values, and kinds without a rule, pass.
    """
    for index, op in enumerate(graph.ops):
        stated = graph.tensors[op.outputs[0]].shape
        try:
            wanted = _RULES[op.kind](graph, op) if op.kind in _RULES else None
        except (IndexError, ValueError) as error:
            raise ValueError(f"op {index} ({op.kind}): inputs of shape {_shapes(graph, op)} do not fit it") from error
        if wanted is not None and wanted != stated:
            raise ValueError(f"op {index} ({op.kind}) gives shape {list(wanted)}, the file says {list(stated)}")


def windows(size: int, kernel: int, stride: int, padding: Padding) -> int:
    """How many windows of `kernel` fit along `size` (TensorFlow's SAME or VALID)."""
    if min(size, kernel, stride) < 1:
        raise ValueError("a size, kernel or stride is not positive")
    return -(-size // stride) if padding is Padding.SAME else (size - kernel) // stride + 1


def _shapes(graph: Graph, op: Op) -> list[list[int]]:
    return [list(graph.tensors[i].shape) for i in op.inputs if i >= 0]


def _shape(graph: Graph, op: Op, place: int) -> Shape:
    return graph.tensors[op.inputs[place]].shape


def _values(graph: Graph, op: Op, place: int) -> list[int] | None:
    """An integer input's values, None if they are computed."""
    data = graph.tensors[op.inputs[place]].data
    return None if data is None else [int(v) for v in np.asarray(data).flat]


def _conv(graph: Graph, op: Op) -> Shape:
    attrs = op.attrs
    assert isinstance(attrs, ops.Conv2D | ops.DepthwiseConv2D)
    batch, h, w, cin = _shape(graph, op, 0)
    first, kh, kw, last = _shape(graph, op, 1)
    if isinstance(attrs, ops.DepthwiseConv2D):
        channels, fits = last, first == 1 and last == cin * attrs.depth_multiplier
    else:
        channels, fits = first, last == cin
    if not fits:
        raise ValueError("weights do not match the input's channels")
    if len(op.inputs) > 2 and op.inputs[2] >= 0 and _shape(graph, op, 2) != (channels,):
        raise ValueError("bias does not match the output's channels")
    high = windows(h, (kh - 1) * attrs.dilation_h + 1, attrs.stride_h, attrs.padding)
    wide = windows(w, (kw - 1) * attrs.dilation_w + 1, attrs.stride_w, attrs.padding)
    return (batch, high, wide, channels)


def _pool(graph: Graph, op: Op) -> Shape:
    attrs = op.attrs
    assert isinstance(attrs, ops.Pool2D)
    batch, h, w, channels = _shape(graph, op, 0)
    high = windows(h, attrs.filter_h, attrs.stride_h, attrs.padding)
    return (batch, high, windows(w, attrs.filter_w, attrs.stride_w, attrs.padding), channels)


def _fully_connected(graph: Graph, op: Op) -> Shape:
    shape, (outputs, inputs) = _shape(graph, op, 0), _shape(graph, op, 1)
    rows, rest = divmod(math.prod(shape), inputs) if inputs else (0, 1)
    if rest or (len(op.inputs) > 2 and op.inputs[2] >= 0 and _shape(graph, op, 2) != (outputs,)):
        raise ValueError("weights or bias do not match")
    assert isinstance(op.attrs, ops.FullyConnected)
    return (*shape[:-1], outputs) if op.attrs.keep_num_dims else (rows, outputs)


def _same(graph: Graph, op: Op) -> Shape:
    return _shape(graph, op, 0)


def _broadcast(graph: Graph, op: Op) -> Shape:
    return np.broadcast_shapes(_shape(graph, op, 0), _shape(graph, op, 1))


def _reshaped(graph: Graph, op: Op) -> Shape:
    """Only the number of elements binds: the stated shape, if it holds as many."""
    stated = graph.tensors[op.outputs[0]].shape
    if math.prod(stated) != math.prod(_shape(graph, op, 0)):
        raise ValueError("another number of elements")
    return stated


def _concatenation(graph: Graph, op: Op) -> Shape:
    assert isinstance(op.attrs, ops.Concatenation)
    parts = [list(_shape(graph, op, place)) for place in range(len(op.inputs))]
    axis = op.attrs.axis % len(parts[0])
    if any(part[:axis] + part[axis + 1 :] != parts[0][:axis] + parts[0][axis + 1 :] for part in parts):
        raise ValueError("parts differ beside the axis")
    return (*parts[0][:axis], sum(part[axis] for part in parts), *parts[0][axis + 1 :])


def _pad(graph: Graph, op: Op) -> Shape | None:
    amounts = _values(graph, op, 1)
    if amounts is None:
        return None
    pairs = zip(_shape(graph, op, 0), amounts[0::2], amounts[1::2], strict=True)
    return tuple(side + before + after for side, before, after in pairs)


def _mean(graph: Graph, op: Op) -> Shape | None:
    assert isinstance(op.attrs, ops.Reduce)
    shape, axes = _shape(graph, op, 0), _values(graph, op, 1)
    if axes is None:
        return None
    reduced = {axis % len(shape) for axis in axes}
    kept = [1 if axis in reduced else side for axis, side in enumerate(shape)]
    return tuple(side for axis, side in enumerate(kept) if op.attrs.keep_dims or axis not in reduced)


def _transpose(graph: Graph, op: Op) -> Shape | None:
    shape, order = _shape(graph, op, 0), _values(graph, op, 1)
    if order is not None and sorted(order) != list(range(len(shape))):
        raise ValueError("not a permutation")
    return None if order is None else tuple(shape[axis] for axis in order)


_RULES: dict[str, Callable[[Graph, Op], Shape | None]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _conv,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "FULLY_CONNECTED": _fully_connected,
    "RESHAPE": _reshaped,
    "SQUEEZE": _reshaped,
    "CONCATENATION": _concatenation,
    "PAD": _pad,
    "PADV2": _pad,
    "MEAN": _mean,
    "TRANSPOSE": _transpose,
    **dict.fromkeys(("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU"), _broadcast),
    **dict.fromkeys(("SOFTMAX", "RELU", "RELU6", "LOGISTIC", "TANH", "HARD_SWISH", "LEAKY_RELU"), _same),
    **dict.fromkeys(("QUANTIZE", "DEQUANTIZE"), _same),
}
