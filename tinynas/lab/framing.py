"""Frames of the runner's `put` (firmware/runner/PROTOCOL.md), and which of them to send when. No input or output here.

COBS, which keeps 0 for the end of a frame: S. Cheshire, M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM
Transactions on Networking 7(2), 1999. Resending from the oldest frame in doubt: go-back-N.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field

PAYLOAD_BYTES = 248
WINDOW_FRAMES = 8  # in flight: 2 KB, above what any serial line holds during a round trip
ABORT = b"\0\x01\0"  # ends the frame in progress, then an empty one: the runner goes back to reading commands
_NUMBERS = 64
_ACKNOWLEDGEMENT = re.compile(rb"[\x80-\xbf][\xc0-\xff]")
_RESTART = b"\0"  # ends what may be left of a frame, so that the next one is read from its start


def cobs(data: bytes) -> bytes:
    """`data` (at most 253 bytes) without zeros: before each run of non-zero bytes, its length plus 1."""
    assert len(data) < 254
    return b"".join(bytes([len(run) + 1]) + run for run in data.split(b"\0"))


def frame(number: int, payload: bytes) -> bytes:
    """COBS of number (one byte), payload and the CRC-32 of both (little endian), ended by a 0."""
    body = bytes([number % _NUMBERS]) + payload
    return cobs(body + zlib.crc32(body).to_bytes(4, "little")) + b"\0"


def acknowledgements(data: bytes) -> tuple[list[int], bytes, bytes]:
    """Splits what a board sends during a `put`: numbers of acknowledgements, text, and a rest that may be half of one.

    Bytes that are neither are dropped: an acknowledgement that was damaged is one that did not come.
    """
    half = data[-1:] if data and 0x80 <= data[-1] < 0xC0 else b""
    numbers = [pair[0] & 63 for pair in _ACKNOWLEDGEMENT.findall(data) if pair[0] & 63 == ~pair[1] & 63]
    return numbers, bytes(byte for byte in data if byte < 0x80), half


@dataclass
class Window:
    """The frames of one tensor from byte `start` on; says which to send, as the board's acknowledgements come."""

    data: bytes
    start: int  # a multiple of PAYLOAD_BYTES, or the end
    resent: int = 0  # frames that were sent once more
    _base: int = field(init=False)  # first frame that the board does not have
    _next: int = field(init=False)  # first frame that was not sent (or is to be sent again)
    _doubts: int = 0  # acknowledgements that asked for `_base` once more

    def __post_init__(self) -> None:
        self._base = self._next = -(-self.start // PAYLOAD_BYTES)

    @property
    def acknowledged_bytes(self) -> int:
        return min(self._base * PAYLOAD_BYTES, len(self.data))

    def sendable(self) -> bytes:
        """What the window lets out now; empty if it is full or all is sent."""
        frames = []
        while self._next < min(self._base + WINDOW_FRAMES, -(-len(self.data) // PAYLOAD_BYTES)):
            at = self._next * PAYLOAD_BYTES
            frames.append(frame(self._next, self.data[at : at + PAYLOAD_BYTES]))
            self._next += 1
        return b"".join(frames)

    def acknowledge(self, number: int) -> bytes:
        """The board wants frame `number` next. Returns what must go out before anything else: nothing, or a restart.

        An acknowledgement that repeats the last one tells of a frame that was damaged or lost. Those that follow come
        from frames already in flight, so only after a window of them is it lost once more.
        """
        ahead = (number - self._base) % _NUMBERS
        if 0 < ahead <= self._next - self._base:
            self._base += ahead
            self._doubts = 0
        elif ahead == 0 and self._next > self._base:
            self._doubts += 1
            if self._doubts % (WINDOW_FRAMES + 1) == 1:
                return self.go_back()
        return b""

    def go_back(self) -> bytes:
        """Everything not acknowledged is to be sent again, after what is returned."""
        self.resent += self._next - self._base
        self._next = self._base
        return _RESTART
