"""The firmware's sources for a board, and the hash that stands for them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from tinynas.lab.board import Board, Core
from tinynas.resources import resource


@dataclass(frozen=True)
class Sources:
    """C files compiled into one library."""

    library: str  # "engine" or "runner"
    files: tuple[Path, ...]
    includes: tuple[Path, ...]
    defines: tuple[str, ...] = ()

    def sha256(self, *more: str) -> str:
        """Of the sources, every header they may include, the defines, and `more` (flags, compiler version)."""
        digest = hashlib.sha256("\0".join((*self.defines, *more)).encode())
        headers = [header for folder in self.includes for header in sorted(folder.glob("*.h"))]
        for path in (*self.files, *headers):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()


def engine_sources() -> Sources:
    """The kernels; they know cores, not boards."""
    root = resource("firmware") / "engine"
    return Sources("engine", tuple(sorted((root / "src").glob("*.c"))), (root / "include", root / "src"))


def runner_sources(board: Board) -> Sources:
    """The runner with the board's port."""
    root = resource("firmware")
    folders = [root / "runner" / "src", root / "ports" / board.port]
    includes = [root / "engine" / "include", root / "runner" / "include", root / "ports"]
    if board.core is not Core.HOST and board.framework == "bare-metal":
        folders.append(root / "ports" / "cortexm")
        includes += [root / "ports" / "cortexm"] + ([root / "ports" / "mcu"] if board.hardware else [])
    files = (path for folder in folders for path in sorted([*folder.glob("*.c"), *folder.glob("*.cpp")]))
    return Sources("runner", tuple(files), tuple(includes), _defines(board))


def _defines(board: Board) -> tuple[str, ...]:
    ticks = board.virtual.ticks_per_instruction if board.virtual else Fraction(1)
    return (
        "-Os",  # nothing in the runner is timed
        f"-DTN_CLOCK_HZ={board.clock_hz}u",
        f"-DTN_TICKS_NUM={ticks.numerator}u",
        f"-DTN_TICKS_DEN={ticks.denominator}u",
        *([f"-DTN_BAUD={board.hardware.baud}u"] if board.hardware else []),
        *(_arduino_defines(board) if board.framework == "arduino" else []),
        *(f"-D{name}={value}" for name, value in board.port_options.items()),
    )


def _arduino_defines(board: Board) -> tuple[str, ...]:
    """The core's own main calls setup(); its compiler's frames are not ours to know, so more is left unpainted."""
    return "-DTN_MAIN=tn_runner_main", f"-DTN_STACK_BYTES={board.stack_bytes}u", "-DTN_UNPAINTED_WORDS=64u"
