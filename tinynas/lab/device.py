"""What a board session needs of a board, however it is attached."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from tinynas.errors import BoardError
from tinynas.lab import usb
from tinynas.lab.board import Board
from tinynas.lab.flashers.base import Target
from tinynas.lab.flashers.registry import flash, flasher
from tinynas.lab.link import SerialLink
from tinynas.lab.rawlog import RawLog
from tinynas.lab.serial_port import BAUD

BOOT_LIMIT_S = 20.0
_REPLUG_LIMIT_S = 20.0  # for a chip's own USB to come back


@dataclass(frozen=True)
class Flashing:
    """How the user (or the hardware map) wants a board flashed; by default as its file says."""

    flasher: str | None = None
    target: Target = field(default_factory=Target)


AS_THE_BOARD_SAYS = Flashing()


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
    """A board behind a serial port; a real one is flashed as its file or `flashing` says."""

    def __init__(self, board: Board, port: str, log: RawLog, flashing: Flashing = AS_THE_BOARD_SAYS) -> None:
        self._board = board
        self._flashing = flashing
        self._target = replace(flashing.target, port=port)
        self.link = SerialLink(port, log, baud=board.hardware.baud if board.hardware else BAUD)

    def program(self, elf: Path) -> None:
        if self._board.hardware is None:
            raise BoardError(f"{self.link.port}: no flasher for this board; flash {elf} with its own tool")
        if self._board.hardware.console_through in ("probe", "adapter"):
            self._program_beside_line(elf)
        else:
            self._program_through_line(elf)

    def _program_beside_line(self, elf: Path) -> None:
        """The line stays open, and shows the boot."""
        self.link.discard()
        flash(elf, self._board, self._with_probe(), self._flashing.flasher)
        self.link.wait_boot(BOOT_LIMIT_S)

    def restart(self) -> None:
        """Restarts the board without flashing it; where it can be, its first words are then on the line.

        Raises:
            BoardError: its flasher cannot, so that its button must be pressed.
            FlashError, ToolError: the flasher fails, or is not installed.
        """
        chosen = flasher(self._board, self._flashing.flasher)
        assert self._board.hardware is not None
        if self._board.hardware.console_through in ("probe", "adapter"):
            self.link.discard()
            chosen.reset(self._board, self._with_probe())
        else:
            self.link.close()
            chosen.reset(self._board, self._target)
            self.link.reopen(_REPLUG_LIMIT_S)

    def _with_probe(self) -> Target:
        """A probe that has the port too is the one of this board, where several are attached."""
        assert self._board.hardware is not None
        if self._target.probe or self._board.hardware.console_through != "probe":
            return self._target
        device = usb.at_port(self.link.port)
        return self._target if device is None else replace(self._target, probe=usb.probe_id(device))

    def _program_through_line(self, elf: Path) -> None:
        """The loader needs the port, or it goes away with the reset. The boot is over when it can be opened again."""
        before = usb.at_port(self.link.port)
        self.link.close()
        flash(elf, self._board, self._target, self._flashing.flasher)
        self.link.port = usb.port_again(before, _REPLUG_LIMIT_S) if before else self.link.port
        self.link.reopen(_REPLUG_LIMIT_S)

    def write_memory(self, address: int, data: bytes) -> bool:
        return False

    def close(self) -> None:
        self.link.close()
