"""What a board session needs of a board, however it is attached."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tinynas.errors import BoardError
from tinynas.lab import openocd
from tinynas.lab.board import Board
from tinynas.lab.link import SerialLink
from tinynas.lab.rawlog import RawLog

BOOT_LIMIT_S = 20.0


class Device(Protocol):
    """A board that can be flashed and talked to."""

    @property
    def link(self) -> SerialLink:
        """The line to the runner; a new one after some crashes, so ask again after `program`."""

    def program(self, elf: Path) -> None:
        """Writes the image `elf` to the board, verifies it, restarts the board and waits for the runner."""

    def write_memory(self, address: int, data: bytes) -> bool:
        """Writes to the board's memory through a debugger; False if there is none."""

    def close(self) -> None: ...


class AttachedDevice:
    """A board behind a serial port; a real one is flashed through its debug probe."""

    def __init__(self, board: Board, port: str, log: RawLog) -> None:
        self._board = board
        self.link = SerialLink(port, log)

    def program(self, elf: Path) -> None:
        if self._board.hardware is None:
            raise BoardError(f"{self.link.port}: no flasher for this board; flash {elf} with its own tool")
        self.link.discard()
        openocd.flash(self._board, elf)
        self.link.wait_boot(BOOT_LIMIT_S)

    def write_memory(self, address: int, data: bytes) -> bool:
        return False

    def close(self) -> None:
        self.link.close()
