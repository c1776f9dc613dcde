"""Bytes over a serial line: everything logged, every wait limited, every trouble an error in words."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import TypeVar

import serial

from tinynas.errors import BusyError, NoAnswerError, PortLostError, RebootedError
from tinynas.lab.rawlog import RawLog

_T = TypeVar("_T")
BAUD = 115_200
_OBITUARY_S = 2.0  # a process closes its line some time before it is gone
_WRITE_S = 5.0
_POLL_S = 0.05
_BUSY = {errno.EWOULDBLOCK, errno.EBUSY}


class SerialPort:
    """One open port.

    `diagnose(wait_s)` is asked when the line is silent or broken: it returns what is known of the end of the board's
    process (a crash text), or None if it has not ended within `wait_s`.
    """

    def __init__(
        self,
        port: str,
        log: RawLog,
        diagnose: Callable[[float], str | None] = lambda wait_s: None,
        *,
        baud: int = BAUD,
    ) -> None:
        self.port = port
        self.baud = baud
        self.log = log
        self._diagnose = diagnose
        self._pending = b""
        self._serial = self._open()

    def close(self) -> None:
        self._serial.close()

    def reopen(self, limit_s: float) -> None:
        """Opens the port again, which may take a while to come back.

        Raises:
            PortLostError: it has not come back within `limit_s`.
        """
        self.close()
        self._pending = b""
        deadline = time.monotonic() + limit_s
        while True:
            try:
                self._serial = self._open()
                return
            except PortLostError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(_POLL_S)

    def discard(self) -> None:
        """Forgets what has arrived so far (before a reset, whose boot lines are to come)."""
        self._pending = b""
        self._guard(self._serial.reset_input_buffer)

    def send(self, data: bytes) -> None:
        self.log.sent(data)
        self._guard(lambda: self._serial.write(data))

    def receive(self, limit_s: float) -> bytes:
        """What has arrived, or arrives first within `limit_s` (or half a second, if that is less); else nothing."""
        if not self._pending:
            self._pending = self._read(limit_s)
        data, self._pending = self._pending, b""
        return data

    def unread(self, data: bytes) -> None:
        """Gives back what `receive` returned too much: it is read next."""
        self._pending = data + self._pending

    def _read(self, limit_s: float) -> bytes:
        def wait() -> bytes:
            self._serial.timeout = min(limit_s, 0.5)
            return bytes(self._serial.read(max(1, self._serial.in_waiting)))

        data = self._guard(wait)
        if data:
            self.log.received(data)
        elif crash := self._diagnose(0.0):
            raise RebootedError(self._says(crash))
        return data

    def _open(self) -> serial.Serial:
        try:
            return serial.serial_for_url(
                self.port, self.baud, timeout=0, write_timeout=_WRITE_S, exclusive=True
            )  # a path, or socket://host:port of another machine
        except (serial.SerialException, OSError, ValueError) as error:
            if getattr(error, "errno", None) in _BUSY:
                raise BusyError(f"{self.port}: another program has it open; close that, or wait for it") from error
            raise PortLostError(
                f"{self.port}: cannot be opened: {error}; is the board attached, and the port free?"
            ) from error

    def _guard(self, action: Callable[[], _T]) -> _T:
        try:
            return action()
        except serial.SerialTimeoutException as error:
            raise NoAnswerError(self._says(f"the board takes no bytes within {_WRITE_S:g} s")) from error
        except (serial.SerialException, OSError, TypeError) as error:  # pyserial: TypeError if closed meanwhile
            crash = self._diagnose(_OBITUARY_S)
            kind = PortLostError if crash is None else RebootedError
            raise kind(self._says(crash or f"the line broke: {error}")) from error

    def _says(self, text: str) -> str:
        self.log.remark(text)
        return f"{self.port}: {text} (log: {self.log.path})"
