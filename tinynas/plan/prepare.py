"""The one path from a model's graph to the graph that is planned, generated and run per op."""

from __future__ import annotations

from tinynas.errors import ModelError
from tinynas.graph.fold import fold_constants
from tinynas.graph.interface import strip_float_ends
from tinynas.graph.ir import DType, Graph


def prepare(graph: Graph) -> Graph:
    """`graph` with int8 ends and without ops whose result is known. Idempotent.

    Raises:
        ModelError: an end is neither int8 nor a float next to its QUANTIZE or DEQUANTIZE, or an output is an input
            or a constant.
    """
    prepared = fold_constants(strip_float_ends(graph))
    for index in (*prepared.inputs, *prepared.outputs):
        tensor = prepared.tensors[index]
        if tensor.dtype is not DType.INT8:
            raise ModelError(f"input or output {tensor.name!r} is {tensor.dtype}; wanted int8 (run `tinynas convert`)")
        if tensor.const:
            raise ModelError(f"output {tensor.name!r} is a constant; nothing to compute")
    return prepared
