"""OpenOCD: flashes through the debug probe on the board."""

from __future__ import annotations

from pathlib import Path

from tinynas.lab.board import Board
from tinynas.lab.flashers.base import Target, described, first_line, program, run_tool
from tinynas.lab.hardware import OpenOcd

_HINT = (
    "is the board attached by USB (and may you open it: OpenOCD's udev rules), and no other debugger on it? "
    "With several probes of a kind attached, name one: --probe SERIAL"
)


class OpenOcdFlasher:
    """`program FILE verify reset` with the board's own configuration."""

    def flash(self, image: Path, board: Board, target: Target) -> None:
        self._run(f"program {{{image}}} verify reset exit", "flash", board, target)

    def reset(self, board: Board, target: Target) -> None:
        self._run("init; reset run; shutdown", "restart", board, target)

    def _run(self, script: str, doing: str, board: Board, target: Target) -> None:
        command = [*program("openocd", "openocd"), *_configuration(board, target), "-c", script]
        run_tool(command, f"{board.name}: OpenOCD could not {doing} it", target, _complaint, _HINT)


def _configuration(board: Board, target: Target) -> list[str]:
    table = described(board, "openocd", OpenOcd)
    files = [part for name in table.config for part in ("-f", name)]
    return [*files, *(["-c", f"adapter serial {{{target.probe}}}"] if target.probe else [])]


def _complaint(said: str) -> str:
    return first_line("Error:")(said).removeprefix("Error:").strip()
