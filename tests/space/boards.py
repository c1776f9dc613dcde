"""A board and code sizes for tests that need no compiler."""

from __future__ import annotations

from tinynas.lab.board import Board, Core, Region
from tinynas.plan.fit import RuntimeSize
from tinynas.plan.kernels import kernels

BOARD = Board(
    name="toy",
    title="A small Cortex-M4 board",
    core=Core.M4,
    clock_hz=100_000_000,
    flash=Region(origin=0x0800_0000, size_bytes=96 * 1024),
    sram=Region(origin=0x2000_0000, size_bytes=36 * 1024),
    stack_bytes=2048,
    port="none",
    kind="virtual",
    source="made up",
)

RUNTIME = RuntimeSize(
    base_flash_bytes=12_000,
    kernel_flash_bytes={source: 1_000 for kernel in kernels().values() for source in kernel.sources},
    statics_bytes=64,
    runner_sram_bytes=3_000,
)
