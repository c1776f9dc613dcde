"""Code sizes of the firmware, measured from what the compiler and linker made."""

from __future__ import annotations

from pathlib import Path

from tinynas.engine.generate import Generated
from tinynas.lab.arduino import ARDUINO_RUNNER_FLASH_BYTES, ARDUINO_RUNNER_SRAM_BYTES
from tinynas.lab.board import Board, Core
from tinynas.lab.build import build_image, engine_folder, firmware
from tinynas.lab.elf import read_elf
from tinynas.lab.toolchain import toolchain
from tinynas.plan.fit import RuntimeSize

_EMPTY_MODEL = b"""\
#include "tn_model.h"
static tn_status invoke(uint8_t *arena, tn_mark mark, void *user) {
  (void)arena, (void)mark, (void)user;
  return TN_OK;
}
const tn_model tn_model_main = {"", "", 16, 0, 0, 0, 0, 0, invoke};
"""
_EMPTY_MODEL_BYTES = 36 + 4 + 4  # tn_model on a 32-bit core, `invoke`, the empty string with its padding
_IN_FLASH = (".text", ".rodata", ".data")


def runtime_size(board: Board, cache: Path | None = None) -> RuntimeSize:
    """What runner, start-up and each kernel take on `board`; built at most once per board, toolchain and sources.

    The host's figures are 0: its memory is no limit. A board with an Arduino core has about these: kernels as the Arm
    compiler makes them (those for Xtensa as it does for a Cortex-M0+), the core as its file says.
    """
    if board.framework == "arduino":
        return _arduino_size(board, cache)
    parts = firmware(board, cache)
    objects = sorted(parts.engine_folder.glob("*.o"))
    if board.core is Core.HOST:
        return RuntimeSize(0, {f"{path.stem}.c": 0 for path in objects}, 0, 0)
    base = build_image(Generated("main", {"model.c": _EMPTY_MODEL}, (), 16), board, cache=cache)
    return RuntimeSize(
        base_flash_bytes=base.flash_bytes - _EMPTY_MODEL_BYTES,
        kernel_flash_bytes={f"{path.stem}.c": _code_bytes(path) for path in objects},
        statics_bytes=base.statics_bytes,
        runner_sram_bytes=base.runner_sram_bytes,
    )


def _arduino_size(board: Board, cache: Path | None) -> RuntimeSize:
    core = board.core if board.core.is_arm else Core.M0PLUS
    tools = toolchain(board.model_copy(update={"framework": "bare-metal", "core": core}))
    objects = sorted(engine_folder(tools, cache).glob("*.o"))
    return RuntimeSize(
        base_flash_bytes=board.framework_flash_bytes + ARDUINO_RUNNER_FLASH_BYTES,
        kernel_flash_bytes={f"{path.stem}.c": _code_bytes(path) for path in objects},
        statics_bytes=0,
        runner_sram_bytes=ARDUINO_RUNNER_SRAM_BYTES,
    )


def _code_bytes(path: Path) -> int:
    sizes = read_elf(path).section_bytes
    return sum(size for name, size in sizes.items() if name.startswith(_IN_FLASH))
