"""A serial line to a runner: commands out, lines in until `m-ready`, everything logged, every wait limited."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TypeVar

import serial

from tinynas.errors import LinkError
from tinynas.lab.rawlog import RawLog

_T = TypeVar("_T")
BAUD = 115_200
_OBITUARY_S = 2.0  # a process closes its line some time before it is gone
BOOT_LINE = "m-init-done"
READY_LINE = "m-ready"
_LINE = re.compile(r"m-[ -~]*|e-\[[ -~]*\]")


class SerialLink:
    """One open serial port with a runner at the other end.

    `diagnose(wait_s)` is asked when the line is silent or broken: it returns what is known of the end of the board's
    process (a crash text), or None if it has not ended within `wait_s`.
    """

    def __init__(self, port: str, log: RawLog, diagnose: Callable[[float], str | None] = lambda wait_s: None) -> None:
        self.port = port
        self.log = log
        self._diagnose = diagnose
        self._pending = b""
        try:
            self._serial = serial.Serial(port, BAUD, timeout=0, write_timeout=10, exclusive=True)
        except (serial.SerialException, OSError) as error:
            raise LinkError(f"{port}: cannot be opened: {error}; is the board attached, and the port free?") from error

    def close(self) -> None:
        self._serial.close()

    def discard(self) -> None:
        """Forgets what has arrived so far (before a reset, whose boot lines are to come)."""
        self._pending = b""
        self._guard(self._serial.reset_input_buffer)

    def wait_boot(self, limit_s: float) -> None:
        """Reads up to the `m-ready` that ends a boot. What stands before the boot lines is not the runner's.

        Raises:
            LinkError: no boot within `limit_s`; the message tells silence from someone else's firmware.
        """
        deadline = time.monotonic() + limit_s
        seen: list[str] = []
        while BOOT_LINE not in seen:
            seen.append(self._line(deadline, seen, "the runner's start"))
        while self._line(deadline, seen, "the runner's start") != READY_LINE:
            pass

    def command(self, text: str, limit_s: float) -> list[str]:
        """Sends `text` and returns the answer's lines without the closing `m-ready`.

        Raises:
            LinkError: silence, garbage, a reboot, an `e-[...]` answer or a lost line, within `limit_s`.
        """
        self.send(f"{text}%".encode("ascii"))
        return self.answer(text, limit_s)

    def answer(self, text: str, limit_s: float, until: str = READY_LINE) -> list[str]:
        """Lines up to one that is, or starts with, `until`, which is dropped."""
        deadline = time.monotonic() + limit_s
        lines: list[str] = []
        while not (line := self._line(deadline, lines, f"the answer to {text!r}")).startswith(until):
            if line:  # the runner ends an unfinished line before it reports a fault
                self._refuse_trouble(line, text)
                lines.append(line)
        return lines

    def send(self, data: bytes) -> None:
        self.log.sent(data)
        self._guard(lambda: self._serial.write(data))

    def _refuse_trouble(self, line: str, text: str) -> None:
        if line.startswith("e-"):
            raise LinkError(self._says(f"{text!r} answered {line}"))
        if line == BOOT_LINE:
            raise LinkError(self._says(f"the board restarted during {text!r}"))
        if not _LINE.fullmatch(line):
            raise LinkError(
                self._says(f"garbled answer to {text!r}: wanted lines starting with m- or e-, found {line!r}")
            )

    def _line(self, deadline: float, seen: list[str], wanted: str) -> str:
        while b"\n" not in self._pending:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise LinkError(self._says(self._timeout(seen, wanted)))
            self._pending += self._read(left_s)
        line, self._pending = self._pending.split(b"\n", 1)
        return line.rstrip(b"\r").decode("ascii", "backslashreplace")

    def _timeout(self, seen: list[str], wanted: str) -> str:
        if self._pending or seen:
            last = self._pending.decode("ascii", "backslashreplace") or seen[-1]
            return f"wanted {wanted}, the last that came is {last[-80:]!r}; is another firmware running?"
        return f"wanted {wanted}, the board says nothing; is it powered, and the runner flashed?"

    def _read(self, limit_s: float) -> bytes:
        def wait() -> bytes:
            self._serial.timeout = min(limit_s, 0.5)
            return bytes(self._serial.read(max(1, self._serial.in_waiting)))

        data = self._guard(wait)
        if data:
            self.log.received(data)
        elif crash := self._diagnose(0.0):
            raise LinkError(self._says(crash))
        return data

    def _guard(self, action: Callable[[], _T]) -> _T:
        try:
            return action()
        except (serial.SerialException, OSError) as error:
            raise LinkError(self._says(self._diagnose(_OBITUARY_S) or f"the line broke: {error}")) from error

    def _says(self, text: str) -> str:
        self.log.remark(text)
        return f"{self.port}: {text} (log: {self.log.path})"
