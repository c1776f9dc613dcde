"""The kernels of firmware/engine and how a network's ops are packed for them: a dict from name to frozen record.

A kernel is one C function `tn_<name>` in `src/tn_<name>.c`, declared in `header`. A faster one for another instruction
set is one more record with another `isa`: it says what it refuses and brings its own order of the weights.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import ModelError
from tinynas.graph.ir import DType, Graph, Op, Tensor
from tinynas.lab.board import Core


class Isa(enum.IntEnum):
    """Instruction sets, the better the larger; a core runs its own and all smaller ones."""

    PORTABLE = 0  # C99
    DSP = 1  # Armv7E-M and Armv8-M DSP extension: SMLAD, SXTB16
    MVE = 2  # Helium, integer


CORE_ISAS: Mapping[Core, frozenset[Isa]] = {
    Core.M0: frozenset({Isa.PORTABLE}),
    Core.M0PLUS: frozenset({Isa.PORTABLE}),
    Core.M3: frozenset({Isa.PORTABLE}),
    Core.M4: frozenset({Isa.PORTABLE, Isa.DSP}),
    Core.M7: frozenset({Isa.PORTABLE, Isa.DSP}),
    Core.M33: frozenset({Isa.PORTABLE, Isa.DSP}),
    Core.M55: frozenset({Isa.PORTABLE, Isa.DSP, Isa.MVE}),
    Core.LX6: frozenset({Isa.PORTABLE}),
    Core.LX7: frozenset({Isa.PORTABLE}),
    Core.HOST: frozenset({Isa.PORTABLE}),
}

Value = int | tuple[int, ...] | NDArray[np.generic] | Mapping[str, "Value"]


@dataclass(frozen=True)
class Array:
    """A constant array that a call's parameters point to."""

    field: str  # of the parameter struct
    ctype: str  # int8_t, int16_t, uint16_t, int32_t, uint32_t
    elements: int

    @property
    def size_bytes(self) -> int:
        return self.elements * {"int8_t": 1, "int16_t": 2, "uint16_t": 2, "int32_t": 4, "uint32_t": 4}[self.ctype]


def no_arrays(graph: Graph, op: Op) -> tuple[Array, ...]:
    """Layout of a kernel whose parameters are all in its struct."""
    del graph, op
    return ()


def no_scratch(graph: Graph, op: Op) -> int:
    """For kernels that take no scratch memory."""
    del graph, op
    return 0


def apart(graph: Graph, op: Op, position: int) -> None:
    """For kernels whose output must not overlap an input."""
    del graph, op, position


def in_place(graph: Graph, op: Op, position: int) -> int | None:
    """For element by element kernels: the output may start at or before an input of the same size."""
    same = graph.tensors[op.inputs[position]].size_bytes == graph.tensors[op.outputs[0]].size_bytes
    return 0 if same else None


@dataclass(frozen=True)
class Kernel:
    """One C function and how to call it.

    All callables but `pack` need shapes only, so a weightless graph plans as the trained one will.
    """

    name: str
    ops: tuple[str, ...]  # TFLite op kinds it computes
    header: str
    params: str  # C struct, passed by pointer as the first argument
    params_bytes: int  # its size on a 32-bit core
    pack: Callable[[Graph, Op], Mapping[str, Value]]  # values of the struct's fields; arrays as `layout` says
    refuses: Callable[[Graph, Op], str | None]  # why it can't compute this op ("batch 2, wanted 1"), None if it can
    layout: Callable[[Graph, Op], tuple[Array, ...]] = no_arrays
    scratch_bytes: Callable[[Graph, Op], int] = no_scratch  # if not 0, scratch is the call's last argument
    # least distance in bytes by which the output must start before an input that dies here, None: no overlap
    lead_bytes: Callable[[Graph, Op, int], int | None] = apart
    isa: Isa = Isa.PORTABLE
    rank: int = 0  # among kernels of one isa that accept an op, the largest wins
    operands: int | None = 1  # how many of the op's inputs are passed as pointers; None: all, as one array of pointers
    several_outputs: bool = False  # passed as one array of pointers
    shared: tuple[str, ...] = field(default=())  # further C sources it needs

    @property
    def function(self) -> str:
        return f"tn_{self.name}"

    @property
    def sources(self) -> tuple[str, ...]:
        return (f"tn_{self.name}.c", *self.shared)

    def operands_of(self, op: Op) -> tuple[int, ...]:
        """Tensors that are passed as pointers, in the order of the call."""
        return op.inputs[: self.operands]

    def arena_inputs(self, graph: Graph, op: Op) -> tuple[int, ...]:
        """Those of them that lie in the arena; constant ones are emitted as arrays."""
        return tuple(i for i in self.operands_of(op) if not graph.tensors[i].const)

    def const_bytes(self, graph: Graph, op: Op) -> int:
        """Flash of parameters, arrays and constant operands, each rounded up to a word as the compiler aligns them."""
        arrays = [array.size_bytes for array in self.layout(graph, op)]
        operands = [graph.tensors[i].size_bytes for i in self.operands_of(op) if graph.tensors[i].const]
        return sum(-(-size // 4) * 4 for size in (self.params_bytes, *arrays, *operands))


_KERNELS: dict[str, Kernel] = {}

MAX_AXIS = 2**16 - 1  # elements along an axis; the parameters' fields have 16 bits

# ops that only rename a tensor: no code, the output is the input
VIEWS = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS"})

# where TFLite does not put the data first: places of an op's inputs, in the order that kernels see
_ORDERS: Mapping[str, tuple[int, ...]] = {"SPLIT": (1, 0), "TRANSPOSE_CONV": (2, 1, 3)}


def data_first(op: Op) -> Op:
    """`op` as kernels see it: the data is its first input."""
    order = _ORDERS.get(op.kind)
    if order is None:
        return op
    return replace(op, inputs=tuple(op.inputs[place] for place in order if place < len(op.inputs)))


def register(kernel: Kernel) -> Kernel:
    """Add a kernel to the table; names are unique."""
    if kernel.name in _KERNELS:
        raise ValueError(f"kernel {kernel.name!r} is registered twice")
    _KERNELS[kernel.name] = kernel
    _candidates.cache_clear()
    return kernel


def kernels() -> Mapping[str, Kernel]:
    """All kernels by name."""
    from tinynas.plan import ops  # registers them

    del ops
    return _KERNELS


def kernel(name: str) -> Kernel:
    """The kernel called `name`."""
    table = kernels()
    if name not in table:
        raise KeyError(f"no kernel {name!r}; known: {', '.join(table)}")
    return table[name]


def supported_ops() -> tuple[str, ...]:
    """Op kinds that can be planned, sorted."""
    return tuple(sorted(VIEWS.union(*(k.ops for k in kernels().values()))))


def choose(graph: Graph, index: int, core: Core) -> Kernel:
    """The best kernel of `core` for op `index`.

    Raises:
        ModelError: no kernel computes this op, or none this form of it.
    """
    op = data_first(graph.ops[index])
    candidates = _candidates(op.kind, core)
    if not candidates:
        raise ModelError(f"op {index} is {op.kind}, which is not supported; supported: {', '.join(supported_ops())}")
    for candidate in candidates:
        if refusal(graph, op, candidate) is None:
            return candidate
    # the most general kernel's reason is the one that matters
    raise ModelError(f"op {index} ({op.kind}): {refusal(graph, op, candidates[-1])}")


@cache
def _candidates(kind: str, core: Core) -> tuple[Kernel, ...]:
    """The core's kernels for a kind of op, the one that wins first."""
    able = [k for k in kernels().values() if kind in k.ops and k.isa in CORE_ISAS[core]]
    return tuple(sorted(able, key=lambda k: (k.isa, k.rank), reverse=True))


def refusal(graph: Graph, op: Op, candidate: Kernel) -> str | None:
    """Why `candidate` cannot compute `op`, None if it can. All kernels work on int8 and count an axis in 16 bits."""
    for tensor in (graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]):
        if tensor.dtype is not DType.INT8:
            return f"tensor {tensor.name!r} is {tensor.dtype}; wanted int8 (run `tinynas convert` on a float model)"
        if max(tensor.shape, default=0) > MAX_AXIS:
            return f"tensor {tensor.name!r} has shape {list(tensor.shape)}; wanted axes of at most {MAX_AXIS}"
    return candidate.refuses(graph, op)


def rows_of(graph: Graph, op: Op) -> int:
    """Vectors along the last axis of the op's input."""
    x = graph.tensors[op.inputs[0]]
    return x.elements // x.shape[-1]


def too_many_rows(graph: Graph, op: Op) -> str | None:
    """Refusal of more vectors along the last axis than a 16-bit field counts."""
    rows = rows_of(graph, op)
    return f"{rows} rows; wanted at most {MAX_AXIS}" if rows > MAX_AXIS else None


def constant(tensor: Tensor) -> NDArray[np.generic]:
    """Data of a constant tensor; packing needs it, planning does not."""
    if tensor.data is None:
        raise ModelError(f"tensor {tensor.name!r} has no data; bind weights before generating code")
    return tensor.data
