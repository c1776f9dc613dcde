"""Flashing a real board with OpenOCD, through the debug probe on it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tinynas.errors import BoardError, LinkError, ToolError
from tinynas.lab.board import Board

_LIMIT_S = 120.0


def flash(board: Board, elf: Path) -> None:
    """Writes `elf` to `board`'s flash, verifies it and restarts the board.

    Raises:
        ToolError: OpenOCD is not installed.
        LinkError: no such board is attached, or OpenOCD failed; the message ends with what it said last.
    """
    command = _command(board, elf)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise LinkError(
            f"{board.name}: OpenOCD did not end within {_LIMIT_S:.0f} s; unplug the board and try again"
        ) from error
    if done.returncode:
        raise LinkError(
            f"{board.name}: OpenOCD could not flash it: {_complaint(done.stderr)}; is the board attached by USB "
            "(and may you open it: OpenOCD's udev rules), and no other debugger on it?"
        )


def _command(board: Board, elf: Path) -> list[str]:
    table = board.hardware.openocd if board.hardware else None
    if table is None:
        raise BoardError(f"{board.name}: its board file has no [hardware.openocd] table; flash it another way")
    program = shutil.which("openocd")
    if program is None:
        raise ToolError(
            f"openocd, which flashes {board.name}, is not installed; install it with: apt-get install openocd"
        )
    configuration = [part for name in table.config for part in ("-f", name)]
    return [program, *configuration, "-c", f"program {{{elf}}} verify reset exit"]


def _complaint(stderr: str) -> str:
    errors = [line for line in stderr.splitlines() if line.startswith("Error:")]
    lines = errors or stderr.splitlines() or ["it said nothing"]
    return lines[0].removeprefix("Error:").strip()
