"""Which flasher writes to a board: the first in its file, or the one that the user names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tinynas.errors import BoardError
from tinynas.lab.board import Board
from tinynas.lab.flashers.base import Flasher, Target
from tinynas.lab.flashers.dfu import DfuFlasher
from tinynas.lab.flashers.esptool import EspToolFlasher
from tinynas.lab.flashers.openocd import OpenOcdFlasher
from tinynas.lab.flashers.platformio import PlatformIoFlasher
from tinynas.lab.flashers.pyocd import PyOcdFlasher
from tinynas.lab.flashers.uf2 import Uf2Flasher

FLASHERS: Mapping[str, Flasher] = {
    "openocd": OpenOcdFlasher(),
    "pyocd": PyOcdFlasher(),
    "esptool": EspToolFlasher(),
    "uf2": Uf2Flasher(),
    "dfu-util": DfuFlasher(),
    "platformio": PlatformIoFlasher(),
}


def flasher(board: Board, name: str | None = None) -> Flasher:
    """The flasher called `name`, or the board's first.

    Raises:
        BoardError: an unknown one, or one that the board file does not describe; those that fit are listed.
    """
    if name is not None and name not in FLASHERS:
        raise BoardError(f"unknown flasher {name!r}; known: {', '.join(FLASHERS)}")
    known = flashers_of(board)
    if not known:
        raise BoardError(f"{board.name}: its board file has no [hardware] table, so no flasher is known for it")
    chosen = known[0] if name is None else name
    if chosen not in known:
        raise BoardError(f"{board.name} is not flashed by {chosen}; known for it: {', '.join(known)}")
    return FLASHERS[chosen]


def flashers_of(board: Board) -> tuple[str, ...]:
    """Names, the default first. A virtual board is flashed through its debugger; pyOCD can do that too."""
    if board.virtual is not None:
        return ("pyocd",)
    return board.hardware.flashers if board.hardware else ()


def flash(image: Path, board: Board, target: Target, name: str | None = None) -> None:
    """Writes the ELF file `image` to a real `board`, verifies it and restarts the board."""
    flasher(board, name).flash(image, board, target)
