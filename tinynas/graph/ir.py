"""`Graph`: the one typed form of a network between its readers, the quantiser, the planner and the writer."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.ops import Attrs


class DType(enum.StrEnum):
    """Element types a tensor may have."""

    FLOAT32 = "float32"
    INT32 = "int32"
    INT16 = "int16"
    INT8 = "int8"
    INT4 = "int4"

    @property
    def bits(self) -> int:
        return {"float32": 32, "int32": 32, "int16": 16, "int8": 8, "int4": 4}[self.value]

    @property
    def numpy(self) -> np.dtype[np.generic]:
        """NumPy type of `Tensor.data`; int4 is held unpacked, one value per int8."""
        return np.dtype("int8" if self is DType.INT4 else self.value)


@dataclass(frozen=True, eq=False)
class Quant:
    """real = scale * (q - zero_point), per tensor (`axis` None, arrays of length 1) or per slice of `axis`."""

    scale: NDArray[np.float32]  # (1,) or (shape[axis],)
    zero_point: NDArray[np.int64]  # same length as scale
    axis: int | None = None

    @staticmethod
    def per_tensor(scale: float, zero_point: int) -> Quant:
        return Quant(np.array([scale], np.float32), np.array([zero_point], np.int64))


@dataclass(frozen=True, eq=False)
class Tensor:
    """A value of the graph. A constant without `data` belongs to a weightless graph (sizes only)."""

    name: str
    shape: tuple[int, ...]
    dtype: DType
    quant: Quant | None = None
    data: NDArray[np.generic] | None = None
    const: bool = False  # True for weights and biases, with or without data

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        return (self.elements * self.dtype.bits + 7) // 8


@dataclass(frozen=True)
class Op:
    """One operator: `kind` is TFLite's builtin name; inputs and outputs index `Graph.tensors`, -1 = absent optional."""

    kind: str  # "CONV_2D", "DEPTHWISE_CONV_2D", ...
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attrs: Attrs


@dataclass(frozen=True, eq=False)
class Graph:
    """A network in execution order (every op's inputs are graph inputs, constants or outputs of earlier ops)."""

    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    name: str = "main"
    metadata: dict[str, str] = field(default_factory=dict)

    def with_tensors(self, changes: dict[int, Tensor]) -> Graph:
        """The same graph with some tensors replaced."""
        return replace(self, tensors=tuple(changes.get(i, t) for i, t in enumerate(self.tensors)))
