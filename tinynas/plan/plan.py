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
class Step:
    """One kernel call. It computes `ops` (one, or a fused chain), reading `inputs` and writing `outputs`."""

    kernel: str  # name in `tinynas.plan.kernels`
    ops: tuple[int, ...]  # indices into Plan.graph.ops
    inputs: tuple[int, ...]  # tensors in the arena; constants are packed into the call's parameters
    outputs: tuple[int, ...]
    scratch: Buffer | None = None


@dataclass(frozen=True)
class Plan:
    """What the code generator prints.

    Tensors that are views of each other (RESHAPE) have equal buffers, over their common lifetime. Buffers in use at
    the same step do not overlap, except an output over an input that its kernel has consumed by then.
    """

    graph: Graph = field(compare=False, repr=False)  # prepared: constants folded, int8 ends; may be weightless
    steps: tuple[Step, ...]
    buffers: Mapping[int, Buffer]  # tensor index -> its place
    arena_bytes: int
    const_bytes: int  # flash of packed weights, biases, requantisation constants and kernel parameters
    lower_bound_bytes: int  # no placement of these buffers, in this order, is smaller
    macs: int

    @property
    def kernels(self) -> tuple[str, ...]:
        """Names of the kernels used, without repeats, in order of first use."""
        return tuple(dict.fromkeys(step.kernel for step in self.steps))
