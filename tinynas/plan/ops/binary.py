"""ADD, SUB and MUL."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tinynas.graph.ir import DType, Graph, Op
from tinynas.graph.ops import Binary
from tinynas.plan.fixed_point import activation_range, quantize_multiplier, scale_of, zero_point_of
from tinynas.plan.kernels import Kernel, Value, in_place, register

ADD_LEFT_SHIFT = 20  # of int8 inputs before they are scaled (tflite micro add_common.cc)


def pack_add(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_add_params."""
    assert isinstance(op.attrs, Binary)
    a, b, output = (graph.tensors[i] for i in (*op.inputs, *op.outputs))
    twice_max = 2.0 * max(scale_of(a), scale_of(b))
    multiplier_a, shift_a = quantize_multiplier(scale_of(a) / twice_max)
    multiplier_b, shift_b = quantize_multiplier(scale_of(b) / twice_max)
    multiplier_out, shift_out = quantize_multiplier(twice_max / (2.0**ADD_LEFT_SHIFT * scale_of(output)))
    act_min, act_max = activation_range(op.attrs.activation, output)
    return {
        "elements": output.elements,
        "multiplier_a": multiplier_a,
        "multiplier_b": multiplier_b,
        "multiplier_out": multiplier_out,
        "shift_a": shift_a,
        "shift_b": shift_b,
        "shift_out": shift_out,
        "sign_b": -1 if op.kind == "SUB" else 1,
        "zp_a": zero_point_of(a),
        "zp_b": zero_point_of(b),
        "zp_out": zero_point_of(output),
        "act_min": act_min,
        "act_max": act_max,
    }


def pack_add_broadcast(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_add_broadcast_params."""
    return {"shape": broadcast_fields(graph, op), "add": pack_add(graph, op)}


def pack_mul(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_mul_params."""
    assert isinstance(op.attrs, Binary)
    a, b, output = (graph.tensors[i] for i in (*op.inputs, *op.outputs))
    multiplier, shift = quantize_multiplier(scale_of(a) * scale_of(b) / scale_of(output))
    act_min, act_max = activation_range(op.attrs.activation, output)
    return {
        "shape": broadcast_fields(graph, op),
        "multiplier": multiplier,
        "shift": shift,
        "zp_a": zero_point_of(a),
        "zp_b": zero_point_of(b),
        "zp_out": zero_point_of(output),
        "act_min": act_min,
        "act_max": act_max,
    }


def broadcast_fields(graph: Graph, op: Op) -> dict[str, Value]:
    """Fields of tn_broadcast: shapes aligned at their last axis, stride 0 along repeated axes."""
    dims = _four(graph.tensors[op.outputs[0]].shape)
    a, b = (_four(graph.tensors[i].shape) for i in op.inputs)
    return {"dims": dims, "stride_a": _strides(a), "stride_b": _strides(b)}


def _four(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (4 - len(shape)) + shape


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    inner = np.cumprod((1, *shape[:0:-1]))[::-1]
    return tuple(0 if size == 1 else int(stride) for size, stride in zip(shape, inner, strict=True))


def refuses(graph: Graph, op: Op) -> str | None:
    """More than four axes, operands of another type."""
    for tensor in (graph.tensors[i] for i in op.inputs):
        if len(tensor.shape) > 4:
            return f"operand {tensor.name!r} has {len(tensor.shape)} axes; wanted at most 4"
        if tensor.dtype is not DType.INT8:
            return f"operand {tensor.name!r} is {tensor.dtype}; wanted int8"
    return None


def refuses_broadcast(graph: Graph, op: Op) -> str | None:
    """Operands of unequal shapes."""
    if reason := refuses(graph, op):
        return reason
    a, b = (graph.tensors[i].shape for i in op.inputs)
    return None if a == b else f"shapes {list(a)} and {list(b)} differ"


register(
    Kernel(
        name="add_broadcast_s8",
        ops=("ADD", "SUB"),
        header="tn_binary.h",
        params="tn_add_broadcast_params",
        params_bytes=68,
        pack=pack_add_broadcast,
        refuses=refuses,
        operands=2,
    )
)
register(
    Kernel(
        name="add_s8",
        ops=("ADD", "SUB"),
        header="tn_binary.h",
        params="tn_add_params",
        params_bytes=28,
        pack=pack_add,
        refuses=refuses_broadcast,
        lead_bytes=in_place,
        operands=2,
        rank=1,
    )
)
register(
    Kernel(
        name="mul_s8",
        ops=("MUL",),
        header="tn_binary.h",
        params="tn_mul_params",
        params_bytes=52,
        pack=pack_mul,
        refuses=refuses,
        lead_bytes=in_place,
        operands=2,
    )
)
