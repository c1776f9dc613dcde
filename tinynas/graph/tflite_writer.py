"""`Graph` -> `.tflite` bytes that TFLite Micro, LiteRT and TensorFlow accept."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from tinynas.errors import ModelError
from tinynas.graph.ir import DType, Graph, Op, Quant, Tensor
from tinynas.graph.op_codecs import CODECS, builtin_code

_SCHEMA_VERSION = 3


def write_tflite(graph: Graph) -> bytes:
    """The same bytes for the same graph; `read_tflite` gives the graph back. Every constant needs its data."""
    model = schema.ModelT()
    model.version, model.description = _SCHEMA_VERSION, "tinynas"
    model.buffers = [schema.BufferT()]  # buffer 0 is empty by convention: tensors without data point at it
    subgraph = schema.SubGraphT()
    subgraph.name = graph.name
    subgraph.tensors = [_tensor(tensor, model.buffers) for tensor in graph.tensors]
    subgraph.inputs, subgraph.outputs = list(graph.inputs), list(graph.outputs)
    codes: dict[tuple[str, int], int] = {}
    subgraph.operators = [_operator(graph, op, codes) for op in graph.ops]
    model.operatorCodes = [_operator_code(kind, version) for kind, version in codes]
    model.subgraphs = [subgraph]
    model.metadata = [_metadata(name, text, model.buffers) for name, text in graph.metadata.items()]
    builder = flatbuffers.Builder(sum(len(b.raw) for b in model.buffers[1:]) + (1 << 16))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(tensor: Tensor, buffers: list[Any]) -> Any:
    if tensor.const and tensor.data is None:
        raise ModelError(f"constant {tensor.name!r} has no data: bind weights to the graph before writing it")
    table = schema.TensorT()
    table.name, table.shape = tensor.name, np.array(tensor.shape, np.int32)
    table.type, table.buffer = getattr(schema.TensorType, tensor.dtype.name), 0
    if tensor.data is not None:
        table.buffer = _add_buffer(_raw(tensor), buffers)
    if tensor.quant is not None:
        table.quantization = _quantization(tensor.quant)
    return table


def _raw(tensor: Tensor) -> bytes:
    assert tensor.data is not None and tensor.data.shape == tensor.shape
    if tensor.dtype is DType.INT4:
        return _pack_int4(np.asarray(tensor.data, np.int8))
    return np.ascontiguousarray(tensor.data, tensor.dtype.numpy.newbyteorder("<")).tobytes()


def _pack_int4(values: NDArray[np.int8]) -> bytes:
    """Two values a byte, the first in the low nibble."""
    flat = values.reshape(-1)
    padded = np.append(flat, np.zeros(flat.size % 2, np.int8)).view(np.uint8)
    return ((padded[0::2] & 15) | (padded[1::2] << 4)).astype(np.uint8).tobytes()


def _add_buffer(raw: bytes, buffers: list[Any]) -> int:
    buffers.append(_AlignedBuffer(raw))
    return len(buffers) - 1


class _AlignedBuffer:
    """A `Buffer` table whose data starts at a multiple of 16, as the schema's force_align asks.

    The generated Python code ignores force_align; a Cortex-M that reads int32 biases in place would fault.
    """

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def Pack(self, builder: Any) -> Any:
        """Called by the schema's `ModelT.Pack`; same steps as `Builder.CreateByteVector`, with the alignment."""
        builder.StartVector(1, len(self.raw), 16)
        builder.head = builder.head - len(self.raw)
        builder.Bytes[builder.head : builder.head + len(self.raw)] = self.raw
        data = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, data)
        return schema.BufferEnd(builder)


def _quantization(quant: Quant) -> Any:
    table = schema.QuantizationParametersT()
    table.scale = np.asarray(quant.scale, np.float32)
    table.zeroPoint = np.asarray(quant.zero_point, np.int64)
    table.quantizedDimension = quant.axis or 0
    return table


def _operator(graph: Graph, op: Op, codes: dict[tuple[str, int], int]) -> Any:
    codec = CODECS[op.kind]
    table = schema.OperatorT()
    table.opcodeIndex = codes.setdefault((op.kind, codec.version(graph, op)), len(codes))
    table.inputs, table.outputs = list(op.inputs), list(op.outputs)
    table.builtinOptionsType, table.builtinOptions = codec.options_type, codec.write(op.attrs)
    return table


def _operator_code(kind: str, version: int) -> Any:
    table = schema.OperatorCodeT()
    table.builtinCode, table.version = builtin_code(kind), version
    table.deprecatedBuiltinCode = min(builtin_code(kind), 127)  # read by runtimes from before the wider field
    return table


def _metadata(name: str, text: str, buffers: list[Any]) -> Any:
    table = schema.MetadataT()
    table.name, table.buffer = name, _add_buffer(text.encode(), buffers)
    return table
