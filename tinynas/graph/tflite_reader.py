"""`.tflite` bytes -> `Graph`. Whatever is wrong with the file ends in one `ModelError`."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from tinynas.errors import ModelError
from tinynas.graph.ir import DType, Graph, Op, Quant, Tensor
from tinynas.graph.op_codecs import CODECS, builtin_name
from tinynas.graph.shapes import check_shapes

_DTYPES = {getattr(schema.TensorType, dtype.name): dtype for dtype in DType}
_TYPE_NAMES = {value: name for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
_MAX_RANK = 5
# What flatbuffers and NumPy raise when an offset or a length points outside the file.
_BROKEN = (struct.error, IndexError, ValueError, TypeError, OverflowError, AttributeError, UnicodeError, MemoryError)


def read_tflite(source: Path | bytes) -> Graph:
    """The graph of a `.tflite` file with one subgraph.

    Tensors keep the file's order and index. Raises `ModelError` for a file that is missing, truncated or not
    TFLite, for several subgraphs, and for an op, type or option outside `CODECS`, naming the op and its index.
    """
    name, data = _load(source)
    if len(data) < 8 or data[4:8] != b"TFL3":
        found = data[4:8]
        raise ModelError(f"{name}: not a .tflite file: wanted identifier b'TFL3' at byte 4, found {found!r}")
    try:
        return _Reader(data, name).graph()
    except _BROKEN as error:
        raise ModelError(
            f"{name}: truncated or corrupted .tflite of {len(data)} bytes ({type(error).__name__}: {error}); "
            "export or copy it again"
        ) from error


def _load(source: Path | bytes) -> tuple[str, bytes]:
    if isinstance(source, bytes):
        return "model", source
    try:
        return str(source), source.read_bytes()
    except OSError as error:
        raise ModelError(f"{source}: cannot read the model: {error.strerror}") from error


class _Checked(bytes):
    """Bytes that refuse a slice beyond their end: flatbuffers would take the shorter one for a string."""

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice) and not 0 <= (key.start or 0) <= (key.stop or 0) <= len(self):
            raise IndexError(f"bytes {key.start} to {key.stop} of a file of {len(self)} bytes")
        return super().__getitem__(key)


class _Reader:
    """One pass over a file; every length is checked against the file's size before it is used."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.name = data, name
        self.model: Any = schema.Model.GetRootAs(_Checked(data), 0)

    def graph(self) -> Graph:
        count = self.model.SubgraphsLength()
        if count != 1:
            raise ModelError(f"{self.name}: has {count} subgraphs, wanted 1 (no control flow, no signatures apart)")
        subgraph = self.model.Subgraphs(0)
        tensors = tuple(self._tensor(subgraph.Tensors(i), i) for i in self._range(subgraph.TensorsLength()))
        read = Graph(
            tensors=tensors,
            ops=tuple(self._op(subgraph.Operators(i), i) for i in self._range(subgraph.OperatorsLength())),
            inputs=_ints(subgraph.InputsAsNumpy()),
            outputs=_ints(subgraph.OutputsAsNumpy()),
            name=_text(subgraph.Name()),
            metadata=self._metadata(),
        )
        _check_order(read, self.name)
        try:
            check_shapes(read)
        except ValueError as error:
            raise ModelError(f"{self.name}: {error}; the file is corrupted") from error
        return read

    def _range(self, length: int) -> range:
        if length * 4 > len(self.data):
            raise ValueError(f"a vector of {length} entries is longer than the file")
        return range(length)

    def _tensor(self, table: Any, index: int) -> Tensor:
        name, shape = _text(table.Name()), _ints(table.ShapeAsNumpy())
        label = f"{self.name}: tensor {index} ({name!r})"
        dtype = _DTYPES.get(table.Type())
        if dtype is None:
            found = _TYPE_NAMES.get(table.Type(), table.Type())
            raise ModelError(f"{label} has type {found}; supported: {', '.join(d.name for d in DType)}")
        if len(shape) > _MAX_RANK or any(side < 0 for side in shape):
            raise ModelError(f"{label} has shape {list(shape)}; wanted at most {_MAX_RANK} fixed dimensions")
        if table.IsVariable():
            raise ModelError(f"{label} is a variable; networks that keep state between inferences are not supported")
        data = self._constant(table.Buffer(), shape, dtype, label)
        quant = _quant(table.Quantization(), shape, label)
        return Tensor(name, shape, dtype, quant, data, const=data is not None)

    def _constant(self, buffer: int, shape: tuple[int, ...], dtype: DType, label: str) -> NDArray[np.generic] | None:
        if buffer >= self.model.BuffersLength():
            raise ValueError(f"buffer {buffer} of {label} does not exist")
        table = self.model.Buffers(buffer)
        if table.Offset() > 1:
            raise ModelError(f"{label} keeps its data outside the flatbuffer (files over 2 GB), not supported")
        tensor = Tensor("", shape, dtype)
        empty_constant = buffer > 0 and tensor.elements == 0
        if table.DataLength() == 0 and not empty_constant:
            return None
        raw = table.DataAsNumpy().tobytes() if table.DataLength() else b""
        if len(raw) != tensor.size_bytes:
            raise ValueError(f"{label} holds {len(raw)} bytes, wanted {tensor.size_bytes} for {list(shape)} {dtype}")
        if dtype is DType.INT4:
            return _unpack_int4(raw, tensor.elements).reshape(shape)
        return np.frombuffer(raw, dtype.numpy.newbyteorder("<")).astype(dtype.numpy).reshape(shape)

    def _op(self, table: Any, index: int) -> Op:
        code_index = table.OpcodeIndex()
        if not 0 <= code_index < self.model.OperatorCodesLength():
            raise ValueError(f"op {index} has operator code {code_index}, which does not exist")
        code = self.model.OperatorCodes(code_index)
        # Files older than code 127 carry the code in the deprecated byte only.
        kind = builtin_name(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))
        if kind not in CODECS:
            custom = f" ({_text(code.CustomCode())!r})" if kind == "CUSTOM" else ""
            raise ModelError(
                f"{self.name}: op {index} is {kind}{custom}, not supported; supported: {', '.join(CODECS)}"
            )
        inputs, outputs = _ints(table.InputsAsNumpy()), _ints(table.OutputsAsNumpy())
        if not inputs or not outputs:
            raise ValueError(f"op {index} ({kind}) has no inputs or no outputs")
        try:
            return Op(kind, inputs, outputs, CODECS[kind].read(self._options(table, kind)))
        except ValueError as error:
            raise ModelError(f"{self.name}: op {index} ({kind}): {error}") from error

    def _options(self, table: Any, kind: str) -> Any:
        """The op's options as a schema object; None where the file leaves them out (all defaults)."""
        codec, found = CODECS[kind], table.BuiltinOptionsType()
        if codec.options is None or found == 0:
            return None
        if found != codec.options_type:
            raise ValueError(f"carries options table {found}, wanted {codec.options_type} ({codec.options})")
        options = schema.BuiltinOptionsCreator(found, table.BuiltinOptions())
        if getattr(options, "weightsFormat", 0):
            raise ValueError("has shuffled weights (weights_format is not DEFAULT)")
        return options

    def _metadata(self) -> dict[str, str]:
        """Metadata that is text; binary entries (converter traces, memory plans of other runtimes) are left out."""
        found = {}
        for i in self._range(self.model.MetadataLength()):
            entry = self.model.Metadata(i)
            buffer = self.model.Buffers(entry.Buffer())
            raw = buffer.DataAsNumpy().tobytes() if buffer.DataLength() else b""
            text = raw.rstrip(b"\0")
            if text.isascii() and text.decode().isprintable():
                found[_text(entry.Name())] = text.decode()
        return found


def _text(raw: bytes | None) -> str:
    return raw.decode("utf-8") if raw is not None else ""


def _ints(array: Any) -> tuple[int, ...]:
    """A flatbuffer int vector; an absent one reads as 0 instead of an array."""
    return tuple(int(v) for v in array) if isinstance(array, np.ndarray) else ()


def _quant(table: Any, shape: tuple[int, ...], label: str) -> Quant | None:
    """Quantisation parameters, None without scales.

    Some files give one-dimensional tensors a quantized_dimension beyond their rank (person_detect of TFLite
    Micro does, 3): the dimension is then the only one whose length is the number of scales.
    """
    if table is None or table.ScaleLength() == 0:
        return None
    scale = table.ScaleAsNumpy().astype(np.float32)
    zeros = table.ZeroPointAsNumpy().astype(np.int64) if table.ZeroPointLength() else np.zeros(1, np.int64)
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise ModelError(f"{label} has a scale that is not a positive number; the network was quantised without data")
    if len(zeros) not in (1, len(scale)):
        raise ValueError(f"{label} has {len(scale)} scales and {len(zeros)} zero points")
    axis = _axis(table.QuantizedDimension(), len(scale), shape, label) if len(scale) > 1 else None
    return Quant(scale, np.broadcast_to(zeros, scale.shape).copy(), axis)


def _axis(stated: int, scales: int, shape: tuple[int, ...], label: str) -> int:
    if 0 <= stated < len(shape) and shape[stated] == scales:
        return stated
    fitting = [axis for axis, side in enumerate(shape) if side == scales]
    if len(fitting) != 1:
        raise ValueError(f"{label} has {scales} scales along dimension {stated} of shape {list(shape)}")
    return fitting[0]


def _unpack_int4(raw: bytes, elements: int) -> NDArray[np.int8]:
    """Two values a byte, the first in the low nibble."""
    packed = np.frombuffer(raw, np.int8)
    both = np.stack([np.left_shift(packed, 4) >> 4, packed >> 4], axis=1)
    return both.reshape(-1)[:elements].astype(np.int8)


def _check_order(graph: Graph, name: str) -> None:
    """Every op reads only what exists before it, and writes each tensor once."""
    count = len(graph.tensors)
    known = {i for i, tensor in enumerate(graph.tensors) if tensor.const} | set(graph.inputs)
    if any(not 0 <= i < count for i in (*graph.inputs, *graph.outputs)):
        raise ValueError(f"an input or output of the graph is not one of its {count} tensors")
    for index, op in enumerate(graph.ops):
        missing = [i for i in op.inputs if i != -1 and i not in known]
        if missing or any(not 0 <= i < count or i in known for i in op.outputs):
            raise ModelError(f"{name}: op {index} ({op.kind}) reads tensor {missing} before it exists or writes twice")
        known.update(op.outputs)
    if unwritten := [i for i in graph.outputs if i not in known]:
        raise ModelError(f"{name}: outputs {unwritten} are written by no op")
