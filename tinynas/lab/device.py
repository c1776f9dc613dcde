"""What a board session needs of a board, however it is attached."""

from __future__ import annotations

from typing import Protocol

from tinynas.errors import BoardError
from tinynas.lab.build import Image
from tinynas.lab.link import SerialLink
from tinynas.lab.rawlog import RawLog

BOOT_LIMIT_S = 20.0


class Device(Protocol):
    """A board that can be flashed and talked to."""

    @property
    def link(self) -> SerialLink:
        """The line to the runner; a new one after some crashes, so ask again after `program`."""

    def program(self, image: Image) -> None:
        """Writes `image` to the board, verifies it, restarts the board and waits for the runner."""

    def write_memory(self, address: int, data: bytes) -> bool:
        """Writes to the board's memory through a debugger; False if there is none."""

    def close(self) -> None: ...


class AttachedDevice:
    """A board that already runs the runner, behind a serial port; it cannot be flashed from here."""

    def __init__(self, port: str, log: RawLog) -> None:
        self.link = SerialLink(port, log)

    def program(self, image: Image) -> None:
        raise BoardError(f"{self.link.port}: no flasher for this board; flash {image.elf} with its own tool")

    def write_memory(self, address: int, data: bytes) -> bool:
        return False

    def close(self) -> None:
        self.link.close()
