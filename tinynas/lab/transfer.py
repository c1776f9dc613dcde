"""Sends a tensor to the runner by `put`: several frames in flight, damaged ones once more, on after a cut line."""

from __future__ import annotations

import time
import zlib

from tinynas.errors import GarbledError, LinkError, NoAnswerError, PortLostError, RefusedError
from tinynas.lab.framing import PAYLOAD_BYTES, WINDOW_FRAMES, Window, acknowledgements
from tinynas.lab.limits import Limits
from tinynas.lab.link import SerialLink

_TRIES = 5  # that may end without one more frame on the board
_BITS_PER_BYTE = 10  # start, 8 data, stop
_STALL_S = 0.3  # without news, beyond what a window takes on the line
_CONTINUABLE = ("timeout", "aborted", "bad-crc", "unknown-command", "too-long", "usage")


def upload(link: SerialLink, index: int, data: bytes, limits: Limits) -> int:
    """Writes `data` to input `index`; returns how many frames had to be sent again.

    Frames that do not arrive whole are repeated; after a cut line, or when the board gave up, the upload goes on where
    the board has it. The link must be tagged.

    Raises:
        LinkError: of the last try, after several without progress, or when the time is up.
    """
    deadline = time.monotonic() + limits.command_s + 4 * _line_s(link, len(data))
    reached, tries, resent = -1, 0, 0
    while True:
        attempt = _Attempt(link, index, data, limits)
        try:
            attempt.run(deadline)
            return resent + attempt.resent
        except (GarbledError, NoAnswerError, PortLostError, RefusedError) as error:
            resent += attempt.resent
            tries = 1 if attempt.acknowledged_bytes > reached else tries + 1
            reached = max(reached, attempt.acknowledged_bytes)
            if tries > _TRIES or time.monotonic() > deadline or not _worth_another(error):
                raise
            link.log.remark(f"upload goes on after {attempt.acknowledged_bytes} B: {type(error).__name__}")
            _recover(link, error, limits)


def _worth_another(error: LinkError) -> bool:
    return not isinstance(error, RefusedError) or error.code in _CONTINUABLE


def _recover(link: SerialLink, error: LinkError, limits: Limits) -> None:
    if isinstance(error, PortLostError):
        link.reopen(limits.replug_s)
    link.synchronise(limits.synchronise_s)


class _Attempt:
    """One `put` command, from its start to `m-load-done` or trouble."""

    def __init__(self, link: SerialLink, index: int, data: bytes, limits: Limits) -> None:
        self._link = link
        self._index = index
        self._data = data
        self._limits = limits
        self._window: Window | None = None

    @property
    def resent(self) -> int:
        return 0 if self._window is None else self._window.resent

    @property
    def acknowledged_bytes(self) -> int:
        return -1 if self._window is None else self._window.acknowledged_bytes

    def run(self, deadline: float) -> None:
        answer = self._link.begin(f"put {self._index} {len(self._data)} {zlib.crc32(self._data):08x}")
        line = self._link.until(answer, "m-[Expecting", self._limits.command_s)
        self._window = Window(self._data, self._start(line))
        self._send_frames(self._window, deadline)
        self._link.rest(answer, self._limits.command_s)

    def _start(self, line: str) -> int:
        """From `m-[Expecting N bytes from AT]`."""
        word = line.removesuffix("]").rpartition(" ")[2]
        start = int(word) if word.isdecimal() else -1
        if start < 0 or start > len(self._data) or (start % PAYLOAD_BYTES and start != len(self._data)):
            raise GarbledError(f"{self._link.port}: garbled answer to 'put': {line!r}")
        return start

    def _send_frames(self, window: Window, deadline: float) -> None:
        """Until the runner speaks text again, which is left to be read."""
        stall_s = _STALL_S + 2 * _line_s(self._link, WINDOW_FRAMES * PAYLOAD_BYTES)
        half, news_s = b"", time.monotonic()
        while time.monotonic() < deadline:
            if frames := window.sendable():
                self._link.send(frames)
            data = half + self._link.receive(stall_s)
            numbers, text, half = acknowledgements(data)
            if text:
                self._link.unread(text)
                return
            before = window.acknowledged_bytes
            restart = b"".join([window.acknowledge(number) for number in numbers])
            now_s = time.monotonic()
            if window.acknowledged_bytes > before or restart:
                news_s = now_s
            elif now_s - news_s > stall_s:
                restart, news_s = window.go_back(), now_s
            if restart:
                self._link.send(restart)
        raise NoAnswerError(
            f"{self._link.port}: the upload of {len(self._data)} B took too long; is the line very noisy?"
        )


def _line_s(link: SerialLink, size_bytes: int) -> float:
    return size_bytes * _BITS_PER_BYTE / link.baud
