"""Feeding an interpreter of a `.tflite` file, whose ends may be float, with the int8 values a board takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import ModelError
from tinynas.graph.child import Array
from tinynas.graph.interface import require_int8
from tinynas.graph.ir import DType, Graph, Quant
from tinynas.graph.tflite_reader import read_tflite


@dataclass(frozen=True)
class End:
    """An input or output: its int8 side, and whether the file has float there."""

    name: str
    shape: tuple[int, ...]
    quant: Quant
    is_float: bool

    def dequantised(self, values: NDArray[np.int8]) -> NDArray[np.float32]:
        """(q - zero point) * scale in float32, as DEQUANTIZE computes it."""
        offset = values.astype(np.int32) - int(self.quant.zero_point[0])
        real: NDArray[np.float32] = offset.astype(np.float32) * self.quant.scale[0]
        return real

    def requantised(self, values: Array) -> NDArray[np.int8]:
        """The bytes whose dequantised values these are; `ModelError` if there are none."""
        steps = np.rint(values / self.quant.scale[0]) + self.quant.zero_point[0]
        found: NDArray[np.int8] = np.clip(steps, -128, 127).astype(np.int8)
        if not np.array_equal(self.dequantised(found), values):
            raise ModelError(f"output {self.name!r}: the interpreter's float values are not multiples of its scale")
        return found


@dataclass(frozen=True)
class Int8Ends:
    """All inputs and outputs of a model, in its order."""

    inputs: tuple[End, ...]
    outputs: tuple[End, ...]

    @staticmethod
    def of_model(model: bytes) -> Int8Ends:
        """Ends of a `.tflite` file; raises `ModelError` for a float model."""
        return Int8Ends.of_graph(read_tflite(model))

    @staticmethod
    def of_graph(graph: Graph) -> Int8Ends:
        inner = require_int8(graph)
        return Int8Ends(
            tuple(_end(graph, i, inner, k) for i, k in zip(graph.inputs, inner.inputs, strict=True)),
            tuple(_end(graph, i, inner, k) for i, k in zip(graph.outputs, inner.outputs, strict=True)),
        )

    def to_model(self, values: Sequence[NDArray[np.int8]]) -> list[Array]:
        """int8 arrays [n, *shape] as the file's input types want them. `ModelError` on wrong number, type or shape."""
        if len(values) != len(self.inputs):
            raise ModelError(f"{len(values)} input arrays given, the model takes {len(self.inputs)}")
        return [self._fed(end, value) for end, value in zip(self.inputs, values, strict=True)]

    def from_model(self, values: Sequence[Array]) -> list[NDArray[np.int8]]:
        """The file's outputs [n, *shape] at their int8 side."""
        pairs = zip(self.outputs, values, strict=True)
        return [end.requantised(value) if end.is_float else value.astype(np.int8, copy=False) for end, value in pairs]

    @staticmethod
    def _fed(end: End, value: NDArray[np.int8]) -> Array:
        if value.dtype != np.int8 or value.shape[1:] != end.shape:
            raise ModelError(
                f"input {end.name!r}: wanted int8 of shape {list(end.shape)}, found {value.dtype} of "
                f"shape {list(value.shape[1:])}"
            )
        return end.dequantised(value) if end.is_float else value


def _end(graph: Graph, index: int, inner: Graph, inner_index: int) -> End:
    tensor = inner.tensors[inner_index]
    assert tensor.quant is not None  # require_int8
    return End(tensor.name, tensor.shape, tensor.quant, graph.tensors[index].dtype is DType.FLOAT32)
