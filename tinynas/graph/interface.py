"""What a network takes and gives on a board: int8 tensors, whatever type the file's ends have."""

from __future__ import annotations

from dataclasses import replace

from tinynas.errors import ModelError
from tinynas.graph.fold import fold_constants
from tinynas.graph.ir import DType, Graph
from tinynas.graph.prune import without_ops

_HINT = "quantise it first: tinynas convert MODEL -o OUT.tflite --data DATA"


def deployable(graph: Graph, name: str = "model") -> Graph:
    """What a board runs of a file: constants folded, float ends stripped. `ModelError` for anything not int8."""
    return require_int8(fold_constants(graph), name)


def strip_float_ends(graph: Graph, name: str = "model") -> Graph:
    """The graph without a QUANTIZE after each float input and a DEQUANTIZE before each float output.

    Its inputs and outputs are then the int8 tensors on the inner side, in the same order; unused tensors are
    dropped. A graph with int8 ends comes back as it is. Raises `ModelError` for a float end that is not such a
    pair (a float network).
    """
    quantizes = {i: _quantize_after(graph, i, name) for i in graph.inputs if graph.tensors[i].dtype is DType.FLOAT32}
    dequantizes = {
        i: _dequantize_before(graph, i, name) for i in graph.outputs if graph.tensors[i].dtype is DType.FLOAT32
    }
    if not quantizes and not dequantizes:
        return graph
    inner = {i: graph.ops[op].outputs[0] for i, op in quantizes.items()}
    inner |= {i: graph.ops[op].inputs[0] for i, op in dequantizes.items()}
    stripped = replace(
        graph,
        inputs=tuple(inner.get(i, i) for i in graph.inputs),
        outputs=tuple(inner.get(i, i) for i in graph.outputs),
    )
    return without_ops(stripped, {*quantizes.values(), *dequantizes.values()})


def require_int8(graph: Graph, name: str = "model") -> Graph:
    """`strip_float_ends(graph)`; raises `ModelError` if an input, an output or any op between works on floats."""
    stripped = strip_float_ends(graph, name)
    for index in (*stripped.inputs, *stripped.outputs):
        tensor = stripped.tensors[index]
        if tensor.dtype is not DType.INT8 or tensor.quant is None:
            found = tensor.dtype if tensor.quant else f"{tensor.dtype} without quantisation"
            raise ModelError(f"{name}: input or output {tensor.name!r} is {found}, wanted quantised int8; {_HINT}")
    for index, op in enumerate(stripped.ops):
        if any(stripped.tensors[i].dtype is DType.FLOAT32 for i in (*op.inputs, *op.outputs) if i >= 0):
            raise ModelError(f"{name}: op {index} ({op.kind}) works on float32, wanted int8; {_HINT}")
    return stripped


def _quantize_after(graph: Graph, tensor: int, name: str) -> int:
    """Index of the QUANTIZE that is the only reader of a float input."""
    readers = [k for k, op in enumerate(graph.ops) if tensor in op.inputs]
    if len(readers) != 1 or graph.ops[readers[0]].kind != "QUANTIZE" or tensor in graph.outputs:
        label = graph.tensors[tensor].name
        raise ModelError(f"{name}: a float model: its input {label!r} is not quantised at once; {_HINT}")
    return readers[0]


def _dequantize_before(graph: Graph, tensor: int, name: str) -> int:
    """Index of the DEQUANTIZE that writes a float output which no other op reads."""
    writers = [k for k, op in enumerate(graph.ops) if tensor in op.outputs]
    read = any(tensor in op.inputs for op in graph.ops)
    if not writers or graph.ops[writers[0]].kind != "DEQUANTIZE" or read:
        label = graph.tensors[tensor].name
        raise ModelError(f"{name}: a float model: its output {label!r} is not a DEQUANTIZE's; {_HINT}")
    return writers[0]
