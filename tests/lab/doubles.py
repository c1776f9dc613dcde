"""Boards behind a line that does harm: the host's runner, and QEMU reached by its UART alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.faults import BOOT, Fault, Harm
from tests.lab.lines import HostRunner, Line
from tinynas.lab.board import Board, load_board
from tinynas.lab.limits import Limits
from tinynas.lab.link import SerialLink
from tinynas.lab.rawlog import RawLog
from tinynas.lab.session import BoardSession
from tinynas.lab.virtual import QemuBoard


class HostDouble:
    """A `Device`: flashing is starting the image's process."""

    def __init__(self, folder: Path, fault: Fault, limits: Limits, log: RawLog) -> None:
        self.harm = Harm(fault, limits.command_s, self._start)
        self._limits = limits
        self._line = Line(folder / "port", self.harm)
        self._runner: HostRunner | None = None
        self._elf = Path()
        self.link = SerialLink(str(self._line.port), log, baud=921_600)

    def program(self, elf: Path) -> None:
        self._elf = elf
        self._line.connect(-1)
        self._start()
        self.link.wait_boot(self._limits.command_s)

    def write_memory(self, address: int, data: bytes) -> bool:
        return False

    def close(self) -> None:
        self.link.close()
        self._line.close()
        if self._runner is not None:
            self._runner.stop()

    def _start(self) -> None:
        """Also in the line's own thread, when the board is to restart."""
        if self._runner is not None:
            self._runner.stop()
        self._runner = HostRunner(self._elf)
        self._line.board = self._runner.end


class QemuDouble:
    """A `Device` around a virtual board that is flashed by its debugger's port; the harm is done to its UART."""

    def __init__(self, folder: Path, fault: Fault, limits: Limits, log: RawLog, qemu: QemuBoard) -> None:
        self.harm = Harm(fault, limits.command_s, lambda: None)
        self._qemu = qemu
        self._uart = -1
        self._line = Line(folder / "port", self.harm)
        self.link = SerialLink(str(self._line.port), log)

    def program(self, elf: Path) -> None:
        self._qemu.program(elf)
        self._uart = os.dup(self._qemu.link._serial.fileno())  # not opened anew: QEMU would look away for a second
        self._line.connect(self._uart)
        self._line.later(0, lambda: self.harm.pass_on(self._line, "from_board", BOOT))

    def write_memory(self, address: int, data: bytes) -> bool:
        return False

    def close(self) -> None:
        self.link.close()
        self._line.close()
        if self._uart >= 0:
            os.close(self._uart)


@contextmanager
def faulty_session(
    folder: Path, fault: Fault, limits: Limits, qemu: tuple[Board, QemuBoard] | None = None
) -> Iterator[tuple[BoardSession, Harm]]:
    """A session that meets `fault`: with a host runner of its own, or with the board `qemu`."""
    folder.mkdir(parents=True)
    log = RawLog(folder / "log")
    device = HostDouble(folder, fault, limits, log) if qemu is None else QemuDouble(folder, fault, limits, log, qemu[1])
    try:
        yield BoardSession(load_board("host") if qemu is None else qemu[0], device, log, limits), device.harm
    finally:
        device.close()
        log.close()
