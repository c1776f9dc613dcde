"""Does a plan fit a board? Exact SRAM, and flash predicted from measured code sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tinynas.errors import FitError
from tinynas.graph.ir import Graph
from tinynas.lab.board import Board
from tinynas.plan.kernels import kernel
from tinynas.plan.plan import Plan

MODEL_BYTES = 36  # sizeof(tn_model) on a 32-bit core
IO_BYTES = 36  # sizeof(tn_io)
INVOKE_BYTES = 16  # entry and exit of the generated `invoke`
SHA256_BYTES = 65  # the model's digest as a string


@dataclass(frozen=True)
class RuntimeSize:
    """Code and static memory of the firmware, measured once per board and toolchain by `tinynas.lab.build`."""

    base_flash_bytes: int  # image of the runner with a model that has no ops: vectors, start-up, libc, .data image
    kernel_flash_bytes: Mapping[str, int]  # C source of the engine ("tn_conv_s8.c") -> bytes it adds when linked
    statics_bytes: int  # .data + .bss that serve inference, without the arena
    runner_sram_bytes: int  # .data + .bss of the runner itself
    call_flash_bytes: int = 16  # code of one step inside the generated `invoke`


@dataclass(frozen=True)
class Fit:
    """Memory a plan needs on a board, against what the board has."""

    arena_bytes: int
    stack_bytes: int
    statics_bytes: int
    runner_sram_bytes: int
    sram_bytes: int  # sum of the four above
    sram_limit_bytes: int
    flash_bytes: int
    flash_limit_bytes: int
    overflow_bytes: int  # the larger of the two overflows, 0 if it fits
    fits: bool


def fit(plan: Plan, board: Board, runtime: RuntimeSize) -> Fit:
    """Memory of `plan` on `board`: the arena exactly, flash within 1 % of the linked image."""
    sram_bytes = plan.arena_bytes + board.stack_bytes + runtime.statics_bytes + runtime.runner_sram_bytes
    flash_bytes = runtime.base_flash_bytes + model_flash_bytes(plan, runtime)
    over = max(sram_bytes - board.sram.size_bytes, flash_bytes - board.flash.size_bytes, 0)
    return Fit(
        arena_bytes=plan.arena_bytes,
        stack_bytes=board.stack_bytes,
        statics_bytes=runtime.statics_bytes,
        runner_sram_bytes=runtime.runner_sram_bytes,
        sram_bytes=sram_bytes,
        sram_limit_bytes=board.sram.size_bytes,
        flash_bytes=flash_bytes,
        flash_limit_bytes=board.flash.size_bytes,
        overflow_bytes=over,
        fits=over == 0,
    )


def model_flash_bytes(plan: Plan, runtime: RuntimeSize) -> int:
    """Flash of constants, generated code and the kernels used."""
    kernels = sum(runtime.kernel_flash_bytes[source] for source in kernel_sources(plan.kernels, runtime))
    calls = runtime.call_flash_bytes * len(plan.steps)
    return plan.const_bytes + kernels + calls + INVOKE_BYTES + _description_bytes(plan.graph)


def kernel_sources(names: Iterable[str], runtime: RuntimeSize) -> set[str]:
    """C sources of these kernels. Raises KeyError if one has no measured size."""
    sources = {source for name in names for source in kernel(name).sources}
    missing = sorted(sources - set(runtime.kernel_flash_bytes))
    if missing:
        raise KeyError(f"no measured size of {', '.join(missing)}; measured: {', '.join(runtime.kernel_flash_bytes)}")
    return sources


def fixed_flash_bytes(graph: Graph, runtime: RuntimeSize) -> int:
    """Flash of an image that depends on nothing but the graph's ends."""
    return runtime.base_flash_bytes + INVOKE_BYTES + _description_bytes(graph)


def _description_bytes(graph: Graph) -> int:
    ends = [graph.tensors[i] for i in (*graph.inputs, *graph.outputs)]
    strings = sum(len(tensor.name) + 1 for tensor in ends) + SHA256_BYTES + len("main") + 1
    return MODEL_BYTES + IO_BYTES * len(ends) + strings


def require_fit(fit: Fit, board: Board) -> Fit:
    """`fit`, if the plan fits.

    Raises:
        FitError: it does not; the message has both overflows in bytes.
    """
    if fit.fits:
        return fit
    parts = [
        f"{what}: needs {needs} B of {limit} B, {needs - limit} B too many"
        for what, needs, limit in (
            (f"SRAM (arena {fit.arena_bytes} B)", fit.sram_bytes, fit.sram_limit_bytes),
            ("flash", fit.flash_bytes, fit.flash_limit_bytes),
        )
        if needs > limit
    ]
    hint = "take a smaller network or resolution, or a larger board"
    raise FitError(f"does not fit {board.name}: {'; '.join(parts)}; {hint}", fit.overflow_bytes)
