"""Sends a tensor to the runner by `put`: several frames in flight, damaged ones once more, on after a cut line."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass

from tinynas.errors import GarbledError, LinkError, NoAnswerError, PortLostError, RebootedError, RefusedError
from tinynas.lab.framing import PAYLOAD_BYTES, WINDOW_FRAMES, Window, acknowledgements
from tinynas.lab.limits import Limits
from tinynas.lab.link import SerialLink

_TRIES = 5  # that may end without one more frame on the board
_BITS_PER_BYTE = 10  # start, 8 data, stop
_ANSWER_S = 5.0  # to a `put`, before it is asked again
_STALLS = 4  # in a row, before the command is given again
_STALL_S = 0.3  # without news, beyond what a window takes on the line
_CONTINUABLE = ("timeout", "aborted", "bad-crc", "unknown-command", "too-long", "usage")


@dataclass(frozen=True)
class Uploaded:
    """How an upload went."""

    resent_frames: int
    board_lost: bool  # the port went away meanwhile, and with it perhaps the board's power and memory


def upload(link: SerialLink, index: int, data: bytes, limits: Limits) -> Uploaded:
    """Writes `data` to input `index`.

    Frames that do not arrive whole are repeated; after a cut line, or when the board gave up, the upload goes on where
    the board has it. The link must be tagged.

    Raises:
        RebootedError: the board restarted, the port being there all the time.
        LinkError: of the last try, after several without progress, or when the time is up.
    """
    deadline = time.monotonic() + limits.command_s + 4 * _line_s(link, len(data))
    reached, tries, resent, lost = -1, 0, 0, False
    while True:
        attempt = _Attempt(link, index, data, deadline)
        try:
            attempt.run()
            resent += attempt.resent
            if resent:  # frames may come after the last one needed, and would be taken for commands
                link.synchronise(limits.synchronise_s)
            return Uploaded(resent, lost)
        except (GarbledError, NoAnswerError, PortLostError, RefusedError) as error:
            resent += attempt.resent
            tries = 1 if attempt.acknowledged_bytes > reached else tries + 1
            reached = max(reached, attempt.acknowledged_bytes)
            if tries > _TRIES or time.monotonic() > deadline or not _worth_another(error):
                raise
            link.log.remark(f"upload goes on after {max(reached, 0)} B: {type(error).__name__}")
            lost = _recover(link, error, limits) or lost


def _worth_another(error: LinkError) -> bool:
    return not isinstance(error, RefusedError) or error.code in _CONTINUABLE


def _recover(link: SerialLink, error: LinkError, limits: Limits) -> bool:
    """Gets the board to read commands again; True if the port had gone away."""
    lost = isinstance(error, PortLostError)
    if lost:
        link.reopen(limits.replug_s)
    if link.synchronise(limits.synchronise_s) and not lost:
        raise RebootedError(f"{link.port}: the board restarted during an upload (log: {link.log.path})")
    return lost


class _Attempt:
    """One `put` command, from its start to `m-load-done` or trouble."""

    def __init__(self, link: SerialLink, index: int, data: bytes, deadline: float) -> None:
        self._link = link
        self._index = index
        self._data = data
        self._deadline = deadline
        self._window: Window | None = None

    @property
    def resent(self) -> int:
        return 0 if self._window is None else self._window.resent

    @property
    def acknowledged_bytes(self) -> int:
        return -1 if self._window is None else self._window.acknowledged_bytes

    def run(self) -> None:
        answer = self._link.begin(f"put {self._index} {len(self._data)} {zlib.crc32(self._data):08x}")
        line = self._link.until(answer, "m-[Expecting", min(_ANSWER_S, self._left_s()))
        self._window = Window(self._data, self._start(line))
        self._send_frames(self._window)
        self._link.rest(answer, min(_ANSWER_S, self._left_s()))

    def _left_s(self) -> float:
        return self._deadline - time.monotonic()

    def _start(self, line: str) -> int:
        """From `m-[Expecting N bytes from AT]`."""
        word = line.removesuffix("]").rpartition(" ")[2]
        start = int(word) if word.isdecimal() else -1
        if start < 0 or start > len(self._data) or (start % PAYLOAD_BYTES and start != len(self._data)):
            raise GarbledError(f"{self._link.port}: garbled answer to 'put': {line!r}")
        return start

    def _send_frames(self, window: Window) -> None:
        """Until the runner speaks text again, which is left to be read."""
        stall_s = _STALL_S + 2 * _line_s(self._link, WINDOW_FRAMES * PAYLOAD_BYTES)
        half, news_s, stalls = b"", time.monotonic(), 0
        while self._left_s() > 0 and stalls < _STALLS:
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
                news_s, stalls = now_s, 0
            elif now_s - news_s > stall_s:
                restart, news_s, stalls = window.go_back(), now_s, stalls + 1
            if restart:
                self._link.send(restart)
        raise NoAnswerError(
            f"{self._link.port}: the upload of {len(self._data)} B stands still after {window.acknowledged_bytes} B"
        )


def _line_s(link: SerialLink, size_bytes: int) -> float:
    return size_bytes * _BITS_PER_BYTE / link.baud
