"""Post-training quantisation: float Graph + ranges -> int8 Graph with the same tensors and ops.

The result follows TFLite's int8 specification (tensorflow.org/lite/performance/quantization_spec): weights symmetric
in [-127, 127], per output channel for convolutions and per tensor for FULLY_CONNECTED; int32 biases; activations
asymmetric per tensor; ops that only move values keep their input's scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from tinynas.errors import ModelError
from tinynas.graph.ir import DType, Graph, Op, Quant, Tensor
from tinynas.quantize.calibrate import Ranges
from tinynas.quantize.params import activation_quant, bias_quant, quantised, weight_quant

PIXEL_QUANT = (1 / 255, -128)  # q = pixel - 128 for a network that takes pixel / 255

_WEIGHT_AXIS: Mapping[str, int | None] = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": None}
_FIXED_OUTPUT = {"SOFTMAX": (1 / 256, -128), "LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
# All values of these ops (constants among them) share one scale and zero point. RELU6 is here, unlike RELU, because
# TFLite Micro clamps it without rescaling.
_SAME_SCALE = frozenset(
    [
        "AVERAGE_POOL_2D",
        "MAX_POOL_2D",
        "RESHAPE",
        "SQUEEZE",
        "PAD",
        "PADV2",
        "TRANSPOSE",
        "CONCATENATION",
        "STRIDED_SLICE",
        "PACK",
        "SPLIT",
        "GATHER",
        "MAXIMUM",
        "MINIMUM",
        "RESIZE_NEAREST_NEIGHBOR",
        "RESIZE_BILINEAR",
        "RELU6",
    ]
)
_FREE = frozenset(["ADD", "SUB", "MUL", "MEAN", "RELU", "LEAKY_RELU", "HARD_SWISH"])
# The finest scales of outputs that kernels take. TFLite Micro aborts on ADD with a multiplier of 1 or more; HARD_SWISH,
# whose input has 7 bits more inside, is defined for outputs that are no finer than those; of a product, finer steps
# than two of the product's own mean nothing, and the fast kernels want a shift to the right.
_SMALLEST_SCALE: Mapping[str, Callable[[list[float]], float]] = {
    "ADD": lambda scales: 2.0**-10 * max(scales),
    "SUB": lambda scales: 2.0**-10 * max(scales),
    "MUL": lambda scales: 2.0 * math.prod(scales),
    "HARD_SWISH": lambda scales: 2.0**-6 * max(scales),
}


def quantize(graph: Graph, ranges: Ranges, *, input_quant: tuple[float, int] | None = PIXEL_QUANT) -> Graph:
    """The int8 graph. `ranges` as `collect_ranges` gives them; `input_quant` None takes the inputs' from there too.

    Raises `ModelError` for an op without an int8 scheme, a value without a range, or two fixed scales that meet.
    """
    unshared = _with_own_constants(graph)
    quants = _activation_quants(unshared, ranges, input_quant)
    changes = {i: replace(unshared.tensors[i], dtype=DType.INT8, quant=q) for i, q in quants.items()}
    for op in unshared.ops:
        changes |= _constants(unshared, op, quants)
    return unshared.with_tensors(changes)


def _with_own_constants(graph: Graph) -> Graph:
    """Float constants copied so that each is read in one place: equal biases need not get equal scales."""
    tensors, seen, ops = list(graph.tensors), set[int](), []
    for op in graph.ops:
        inputs = list(op.inputs)
        for place, index in enumerate(inputs):
            if index in seen:
                tensors.append(replace(tensors[index], name=f"{tensors[index].name}.{len(tensors)}"))
                inputs[place] = len(tensors) - 1
            elif index >= 0 and tensors[index].const and tensors[index].dtype is DType.FLOAT32:
                seen.add(index)
        ops.append(replace(op, inputs=tuple(inputs)))
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def _activation_quants(graph: Graph, ranges: Ranges, input_quant: tuple[float, int] | None) -> dict[int, Quant]:
    """Quantisation of every float value and of the constants that share a scale with one."""
    fixed = {i: input_quant for i in graph.inputs if input_quant is not None}
    for index, op in enumerate(graph.ops):
        _check_kind(graph, index, op)
        if op.kind in _FIXED_OUTPUT:
            fixed[op.outputs[0]] = _FIXED_OUTPUT[op.kind]
    quants: dict[int, Quant] = {}
    for group in _scale_groups(graph):
        quants |= dict.fromkeys(group, _group_quant(graph, group, fixed, ranges))
    for op in graph.ops:
        if op.kind in _SMALLEST_SCALE and not any(i in fixed for i in op.outputs):
            _widen_output(op, quants)
    return quants


def _check_kind(graph: Graph, index: int, op: Op) -> None:
    known = {*_WEIGHT_AXIS, *_FIXED_OUTPUT, *_SAME_SCALE, *_FREE}
    if op.kind not in known:
        raise ModelError(f"op {index} ({op.kind}) cannot be quantised to int8; supported: {', '.join(sorted(known))}")
    if op.kind in _WEIGHT_AXIS and graph.tensors[op.inputs[1]].data is None:
        raise ModelError(f"op {index} ({op.kind}) has weights that are computed; wanted constants")


def _scale_groups(graph: Graph) -> list[list[int]]:
    """Float tensors joined by `_SAME_SCALE` ops; weights and biases are in none."""
    leader: dict[int, int] = {}

    def find(index: int) -> int:
        while leader.setdefault(index, index) != index:
            index = leader[index]
        return index

    for index in graph.inputs:
        find(index)
    for op in graph.ops:
        data = op.inputs[:1] if op.kind in _WEIGHT_AXIS else op.inputs
        values = [i for i in (*data, *op.outputs) if i >= 0 and graph.tensors[i].dtype is DType.FLOAT32]
        for index in values:
            first = find(values[0])
            leader[find(index)] = first if op.kind in _SAME_SCALE else find(index)
    groups: dict[int, list[int]] = {}
    for index in leader:
        groups.setdefault(find(index), []).append(index)
    return list(groups.values())


def _group_quant(graph: Graph, group: list[int], fixed: Mapping[int, tuple[float, int]], ranges: Ranges) -> Quant:
    """The fixed quantisation of a group if a member has one, else that of the union of its ranges."""
    imposed = {fixed[i] for i in group if i in fixed}
    names = [graph.tensors[i].name for i in group]
    if len(imposed) > 1:
        raise ModelError(f"tensors {names} must share one scale, but two are imposed: {sorted(imposed)}")
    if imposed:
        return Quant.per_tensor(*imposed.pop())
    known = [_range(graph, i, ranges) for i in group]
    return activation_quant(min(low for low, _ in known), max(high for _, high in known))


def _range(graph: Graph, index: int, ranges: Ranges) -> tuple[float, float]:
    tensor = graph.tensors[index]
    if tensor.data is not None:
        values = tensor.data.astype(np.float64)
        return float(values.min(initial=0.0)), float(values.max(initial=0.0))
    if index not in ranges:
        raise ModelError(f"tensor {tensor.name!r} has no calibrated range; calibrate the same graph")
    return ranges[index]


def _widen_output(op: Op, quants: dict[int, Quant]) -> None:
    smallest = _SMALLEST_SCALE[op.kind]([float(quants[i].scale[0]) for i in op.inputs])
    output = quants[op.outputs[0]]
    if output.scale[0] < smallest:
        quants[op.outputs[0]] = Quant.per_tensor(smallest, int(output.zero_point[0]))


def _constants(graph: Graph, op: Op, quants: Mapping[int, Quant]) -> dict[int, Tensor]:
    """The op's float constants as integers."""
    if op.kind in _WEIGHT_AXIS:
        return _weights(graph, op, quants[op.inputs[0]])
    floats = [i for i in op.inputs if i >= 0 and graph.tensors[i].const and graph.tensors[i].dtype is DType.FLOAT32]
    return {i: _integer(graph.tensors[i], quants[i], DType.INT8, -128) for i in floats}


def _weights(graph: Graph, op: Op, input_quant: Quant) -> dict[int, Tensor]:
    weight = graph.tensors[op.inputs[1]]
    has_bias = len(op.inputs) > 2 and op.inputs[2] >= 0
    bias = graph.tensors[op.inputs[2]] if has_bias else None
    assert weight.data is not None
    values = None if bias is None or bias.data is None else bias.data.astype(np.float32)
    scale = input_quant.scale[0]
    quant = weight_quant(weight.data.astype(np.float32), _WEIGHT_AXIS[op.kind], values, float(scale))
    changes = {op.inputs[1]: _integer(weight, quant, DType.INT8, -127)}
    if bias is not None:
        changes[op.inputs[2]] = _integer(bias, bias_quant(scale, quant), DType.INT32, -(2**31) + 1)
    return changes


def _integer(tensor: Tensor, quant: Quant, dtype: DType, low: int) -> Tensor:
    assert tensor.data is not None
    high = 127 if dtype is DType.INT8 else 2**31 - 1
    data = quantised(tensor.data.astype(np.float32), quant, low, high).astype(dtype.numpy)
    return replace(tensor, dtype=dtype, quant=quant, data=data)
