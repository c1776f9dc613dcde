"""A raw console on a board's serial line: keys go there, bytes come here, until the user or a script is done."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from typing import BinaryIO

from tinynas.lab.link import SerialLink

_LEAVE = (b"\x1d", b"\x03")  # Ctrl-], Ctrl-C
_POLL_S = 0.02
_READ_BYTES = 4096


def monitor(link: SerialLink, keyboard: int, screen: BinaryIO, quiet_s: float = 1.0) -> None:
    """Copies between the line and a terminal, or a script's pipes, until Ctrl-] or Ctrl-C.

    `keyboard` is a file descriptor. Where it is no terminal, the monitor ends by itself: once all of it was sent and
    nothing has come for `quiet_s` seconds, or at an interrupt. All bytes are in the link's log, with their times.

    Raises:
        LinkError: the line breaks, or the board that is a process ends.
    """
    with _raw(keyboard), contextlib.suppress(KeyboardInterrupt):
        _copy(link, keyboard, screen, quiet_s)


def _copy(link: SerialLink, keyboard: int, screen: BinaryIO, quiet_s: float) -> None:
    waiting, heard_s = True, time.monotonic()
    while waiting or time.monotonic() - heard_s < quiet_s:
        if data := link.receive(_POLL_S):
            screen.write(data)
            screen.flush()
            heard_s = time.monotonic()
        if waiting and select.select([keyboard], [], [], 0)[0]:
            keys = os.read(keyboard, _READ_BYTES)
            if any(key in keys for key in _LEAVE) and os.isatty(keyboard):
                return
            waiting, heard_s = bool(keys), time.monotonic()
            if keys:
                link.send(keys)


@contextlib.contextmanager
def _raw(keyboard: int) -> Iterator[None]:
    """A terminal that hands over every key at once and echoes none; anything else stays as it is."""
    if not os.isatty(keyboard):
        yield
        return
    before = termios.tcgetattr(keyboard)
    tty.setraw(keyboard)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def standard_streams() -> tuple[int, BinaryIO]:
    """This process's own."""
    return sys.stdin.fileno(), sys.stdout.buffer
