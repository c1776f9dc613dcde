"""A serial line for tests: a pty that a program opens like a port, and something in between that may do harm."""

from __future__ import annotations

import os
import select
import subprocess
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

Direction = Literal["to_board", "from_board"]
_CHUNK = 4096


class Tamper(Protocol):
    """What happens to bytes on their way."""

    def pass_on(self, line: Line, direction: Direction, data: bytes) -> None:
        """Takes what one end sent; calls `line.deliver` for what the other end gets."""


class Clean:
    """A line that changes nothing."""

    def pass_on(self, line: Line, direction: Direction, data: bytes) -> None:
        line.deliver(direction, data)


class Line:
    """A thread that carries bytes between the pty behind the link `port` and the board's `board_end`."""

    def __init__(self, port: Path, tamper: Tamper) -> None:
        self.port = port
        self._tamper = tamper
        self._ours = self.board = -1
        self._waiting: list[tuple[float, Callable[[], None]]] = []
        self._wake_read, self._wake = os.pipe()
        self._closed = False
        self.plug()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def plug(self) -> None:
        """Makes the pty, and the link by which it is found."""
        self._ours, theirs = os.openpty()
        tty.setraw(theirs)
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(os.ttyname(theirs))
        self._keep = theirs  # or the pty breaks whenever nobody has it open

    def unplug(self) -> None:
        self.port.unlink(missing_ok=True)
        for end in (self._keep, self._ours):
            os.close(end)
        self._ours = -1

    def deliver(self, direction: Direction, data: bytes) -> None:
        """Now. To an end that is not there: nowhere."""
        end = self.board if direction == "to_board" else self._ours
        while data and end >= 0:
            try:
                data = data[os.write(end, data) :]
            except OSError:
                return

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        self._waiting.append((time.monotonic() + delay_s, action))

    def connect(self, board: int) -> None:
        """The board's end from now on, for other threads; -1 for none. Nothing is read from the last one any more."""
        done = threading.Event()

        def replace() -> None:
            self.board = board
            done.set()

        self.later(0, replace)
        os.write(self._wake, b"x")
        done.wait(10)

    def close(self) -> None:
        self._closed = True
        os.write(self._wake, b"x")
        self._thread.join(10)
        if self._ours >= 0:
            self.unplug()
        os.close(self._wake)
        os.close(self._wake_read)

    def _run(self) -> None:
        while not self._closed:
            self._do_what_is_due()
            next_s = min((due_s for due_s, _ in self._waiting), default=time.monotonic() + 0.2)
            ends = [end for end in (self._ours, self.board) if end >= 0]
            ready = select.select([self._wake_read, *ends], [], [], max(0.0, next_s - time.monotonic()))[0]
            if self._wake_read in ready:
                os.read(self._wake_read, _CHUNK)
            for end in ready:
                if end in (self._ours, self.board):  # it may be gone since
                    self._carry(end)

    def _carry(self, end: int) -> None:
        direction: Direction = "to_board" if end == self._ours else "from_board"
        try:
            data = os.read(end, _CHUNK)
        except OSError:  # the board's process ended
            data = b""
        if data:
            self._tamper.pass_on(self, direction, data)
        elif end == self.board:
            self.board = -1

    def _do_what_is_due(self) -> None:
        now_s = time.monotonic()
        due = [entry for entry in self._waiting if entry[0] <= now_s]
        self._waiting = [entry for entry in self._waiting if entry[0] > now_s]
        for _, action in due:
            action()


class HostRunner:
    """The host's runner as a process, its line ending in `end`."""

    def __init__(self, elf: Path) -> None:
        self.end, its_end = os.openpty()
        tty.setraw(its_end)
        self._process = subprocess.Popen([str(elf)], stdin=its_end)
        os.close(its_end)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(10)
        os.close(self.end)
