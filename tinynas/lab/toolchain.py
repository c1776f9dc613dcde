"""Which compiler builds for a core, and with which flags."""

from __future__ import annotations

import errno
import functools
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tinynas.errors import StoreError, ToolError
from tinynas.lab.board import Board, Core

_ARM = "arm-none-eabi-"
_ARM_PACKAGES = "gcc-arm-none-eabi libnewlib-arm-none-eabi"
_COMMON = ("-std=c11", "-O2", "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra")
_HARD_FLOAT = ("-mfloat-abi=hard",)
_SMALL = "-Os"  # in place of -O2 where the kernels' loops are assembly: 1 KB of flash for 1 % of the instructions
_CORE_FLAGS: dict[Core, tuple[str, ...]] = {
    Core.M0: ("-mcpu=cortex-m0", "-mthumb", "-mfloat-abi=soft"),
    Core.M0PLUS: ("-mcpu=cortex-m0plus", "-mthumb", "-mfloat-abi=soft"),
    Core.M3: ("-mcpu=cortex-m3", "-mthumb", "-mfloat-abi=soft"),
    Core.M4: (_SMALL, "-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", *_HARD_FLOAT),
    Core.M7: (_SMALL, "-mcpu=cortex-m7", "-mthumb", "-mfpu=fpv5-d16", *_HARD_FLOAT),
    Core.M33: (_SMALL, "-mcpu=cortex-m33", "-mthumb", "-mfpu=fpv5-sp-d16", *_HARD_FLOAT),
    Core.M55: ("-mcpu=cortex-m55", "-mthumb", "-mfpu=auto", *_HARD_FLOAT),
    Core.HOST: (),
}


@dataclass(frozen=True)
class Toolchain:
    """A C compiler with the flags of one core."""

    cc: str  # path of the compiler driver
    ar: str
    version: str  # first line of `cc --version`
    flags: tuple[str, ...]

    def run(self, *arguments: str | Path, cwd: Path | None = None) -> str:
        """Calls the compiler driver with the core's flags; returns what it says on stderr.

        Raises:
            ToolError: it fails; the message carries its diagnostics, which name the file and line.
            StoreError: it finds the disk full.
        """
        return _call([self.cc, *self.flags, *map(str, arguments)], cwd)

    def archive(self, target: Path, objects: list[Path]) -> None:
        """Packs `objects` into the static library `target`, without time stamps."""
        _call([self.ar, "rcsD", str(target), *map(str, objects)], None)


def toolchain(board: Board) -> Toolchain:
    """The toolchain of the board's core.

    Raises:
        ToolError: not installed (the message names the package), broken, or PlatformIO's (boards with an Arduino core).
    """
    if board.core is Core.HOST:
        return _find("gcc", "ar", "gcc libc6-dev", _COMMON)
    if board.framework == "arduino":
        raise ToolError(
            f"{board.name} is built with its Arduino core, by PlatformIO, which brings the compiler: "
            f"cd firmware && TINYNAS_MODEL=model.tflite pio run -e {board.environment}"
        )
    return _find(_ARM + "gcc", _ARM + "ar", _ARM_PACKAGES, _COMMON + _core_flags(board))


def _core_flags(board: Board) -> tuple[str, ...]:
    flags = _CORE_FLAGS[board.core]
    if board.single_precision:
        return tuple(flag.replace("fpv5-d16", "fpv5-sp-d16") for flag in flags)
    return flags


def _find(cc: str, ar: str, packages: str, flags: tuple[str, ...]) -> Toolchain:
    paths = [shutil.which(tool) for tool in (cc, ar)]
    if paths[0] is None or paths[1] is None:
        raise ToolError(
            f"{cc} is not installed; install it with: apt-get install {packages} (or: tinynas doctor --fix)"
        )
    return Toolchain(paths[0], paths[1], _version(paths[0], Path(paths[0]).stat().st_mtime_ns), flags)


@functools.cache
def _version(cc: str, mtime_ns: int) -> str:
    """Cached by `mtime_ns` too, so that a compiler that was replaced is asked again."""
    done = subprocess.run([cc, "--version"], capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout:
        raise ToolError(f"{cc} --version failed ({done.returncode}): {done.stderr.strip()}; install the compiler again")
    return done.stdout.splitlines()[0]


def _call(command: list[str], cwd: Path | None) -> str:
    in_english = os.environ | {"LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, env=in_english)
    if done.returncode:
        if os.strerror(errno.ENOSPC) in done.stderr:
            raise StoreError(
                f"{Path(command[0]).name}: the disk is full; free some space or set TINYNAS_CACHE, and run it again"
            )
        raise ToolError(f"{Path(command[0]).name} failed ({done.returncode}): {done.stderr.strip()}")
    return done.stderr
