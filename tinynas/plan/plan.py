"""`Plan`: a Graph on a core: ordered steps with chosen kernels, and where in the arena every buffer lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tinynas.graph.ir import Graph


@dataclass(frozen=True)
class Buffer:
    """A stretch of the arena, in use from step `first` to step `last` (both included)."""

    offset: int  # bytes from the start of the arena
    size_bytes: int
    first: int
    last: int


@dataclass(frozen=True)
class Band:
    """The rows of a step in a chain that runs band by band; of the tensors between its ops a few rows are kept only."""

    in_rows: tuple[int, int]  # first and end
    out_rows: tuple[int, int]
    in_offset: int  # bytes from the start of the input's buffer to `in_rows`
    out_offset: int


@dataclass(frozen=True)
class Step:
    """One kernel call. It computes `ops` (one, or several that its parameters express), of a `band` or whole."""

    kernel: str  # name in `tinynas.plan.kernels`
    ops: tuple[int, ...]  # indices into Plan.graph.ops
    inputs: tuple[int, ...]  # tensors in the arena; constants are packed into the call's parameters
    outputs: tuple[int, ...]
    scratch: Buffer | None = None
    band: Band | None = None


@dataclass(frozen=True)
class Plan:
    """What the code generator prints.

    Tensors that are views of each other (RESHAPE) have equal buffers, over their common lifetime. A tensor between the
    ops of a chain that runs band by band has a buffer of a few rows. Buffers in use at
    the same step do not overlap, except an output over an input that its kernel has consumed by then.
    """

    graph: Graph = field(compare=False, repr=False)  # prepared: constants folded, int8 ends; may be weightless
    steps: tuple[Step, ...]
    buffers: Mapping[int, Buffer]  # tensor index -> its place
    arena_bytes: int
    const_bytes: int  # flash of packed weights, biases, requantisation constants and kernel parameters
    lower_bound_bytes: int  # no placement of these buffers, in this order, is smaller
    macs: int
    layered_arena_bytes: int  # what the arena would be if every op ran whole

    @property
    def kernels(self) -> tuple[str, ...]:
        """Names of the kernels used, without repeats, in order of first use."""
        return tuple(dict.fromkeys(step.kernel for step in self.steps))
