"""Does a plan fit a board? Exact SRAM, and flash predicted from measured code sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RuntimeSize:
    """Code and static memory of the firmware, measured once per board and toolchain by `tinynas.lab.build`."""

    base_flash_bytes: int  # image of the runner with a model that has no ops: vectors, start-up, libc, .data image
    kernel_flash_bytes: Mapping[str, int]  # C source of the engine ("tn_conv_s8.c") -> bytes it adds when linked
    statics_bytes: int  # .data + .bss that serve inference, without the arena
    runner_sram_bytes: int  # .data + .bss of the runner itself
    call_flash_bytes: int = 24  # code of one step inside the generated `invoke`


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
