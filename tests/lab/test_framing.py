from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynas.lab.framing import PAYLOAD_BYTES, WINDOW_FRAMES, Window, acknowledgements, cobs, frame


def uncobs(data: bytes) -> bytes:
    """The inverse, straight from the paper's description."""
    out, at = bytearray(), 0
    while at < len(data):
        code = data[at]
        out += data[at + 1 : at + code] + b"\0"
        at += code
    return bytes(out[:-1])


def acknowledgement(number: int) -> bytes:
    return bytes([0x80 | number % 64, 0xC0 | (63 - number % 64)])


class Board:
    """The receiving end, written anew from PROTOCOL.md."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.got = b""
        self._partial = b""

    def receive(self, data: bytes) -> bytes:
        *whole, self._partial = (self._partial + data).split(b"\0")
        return b"".join(self._take(packed) for packed in whole if packed and len(self.got) < self.size_bytes)

    def _take(self, packed: bytes) -> bytes:
        body, crc = (plain := uncobs(packed))[:-4], plain[-4:]
        number = len(self.got) // PAYLOAD_BYTES
        wanted = min(PAYLOAD_BYTES, self.size_bytes - len(self.got))
        if zlib.crc32(body).to_bytes(4, "little") == crc and body[0] == number % 64 and len(body) == wanted + 1:
            self.got += body[1:]
            number += 1
        return acknowledgement(number)


@given(st.binary(max_size=253))
def test_cobs_has_no_zero_costs_one_byte_and_can_be_undone(data: bytes) -> None:
    packed = cobs(data)
    assert 0 not in packed
    assert len(packed) == len(data) + 1
    assert uncobs(packed) == data


def test_a_full_frame_has_seven_bytes_beside_its_payload() -> None:
    assert len(frame(3, bytes(PAYLOAD_BYTES))) == PAYLOAD_BYTES + 7


@given(st.lists(st.integers(0, 63)), st.binary(max_size=20).map(lambda text: bytes(b & 0x7F for b in text)))
def test_acknowledgements_are_told_from_text(numbers: list[int], text: bytes) -> None:
    data = b"".join(acknowledgement(number) for number in numbers) + text
    assert acknowledgements(data) == (numbers, text, b"")


def test_half_an_acknowledgement_is_kept_and_a_damaged_one_dropped() -> None:
    first, second = acknowledgement(5)
    assert acknowledgements(bytes([first])) == ([], b"", bytes([first]))
    assert acknowledgements(bytes([first, second ^ 4, first, second])) == ([5], b"", b"")


def test_no_more_than_the_window_is_in_flight() -> None:
    window = Window(bytes(20 * PAYLOAD_BYTES), 0)
    assert window.sendable().count(b"\0") == WINDOW_FRAMES
    assert window.sendable() == b""
    window.acknowledge(3)
    assert window.sendable().count(b"\0") == 3


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size_bytes=st.integers(1, 70 * PAYLOAD_BYTES), frames=st.integers(0, 70))
def test_all_arrives_whatever_is_lost_or_damaged(seed: int, size_bytes: int, frames: int) -> None:
    """Bytes are dropped and changed in both directions; a timeout goes back. The start may be anywhere."""
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 4, size_bytes, np.uint8).tobytes()  # many zeros
    board = Board(size_bytes)
    board.got = data[: min(frames * PAYLOAD_BYTES, size_bytes)]
    window = Window(data, len(board.got))
    for rounds in range(1000):
        if board.got == data:
            break
        heard = board.receive(_noisy(window.sendable() or window.go_back(), rng, rounds))
        for number in acknowledgements(_noisy(heard, rng, rounds))[0]:
            board.receive(window.acknowledge(number))
    assert board.got == data


def _noisy(data: bytes, rng: np.random.Generator, rounds: int) -> bytes:
    """One byte in 500 is dropped, one in 500 changed; after 500 rounds none."""
    if rounds > 500:
        return data
    harm = rng.integers(0, 500, len(data))
    return bytes(byte ^ (harm[i] == 1) * 0x10 for i, byte in enumerate(data) if harm[i])


@pytest.mark.parametrize("number", range(64))
def test_an_old_acknowledgement_changes_nothing(number: int) -> None:
    """Only the frames in flight can be acknowledged: 10 to 18 are, as next frame wanted, 11 to 18."""
    window = Window(bytes(40 * PAYLOAD_BYTES), 10 * PAYLOAD_BYTES)
    window.sendable()
    window.acknowledge(number)
    assert window.acknowledged_bytes == (number if 11 <= number <= 18 else 10) * PAYLOAD_BYTES
