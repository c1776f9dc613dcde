"""Faulty boards: a double at the other end of a pty that says the wrong thing, or nothing."""

from __future__ import annotations

import os
import random
import threading
import time
import tty
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.toy import toy
from tinynas.errors import (
    BoardError,
    BusyError,
    FirmwareError,
    GarbledError,
    LinkError,
    ModelFaultError,
    NoAnswerError,
    PortLostError,
    RebootedError,
    RefusedError,
    StoreError,
)
from tinynas.lab.answer import Answer
from tinynas.lab.board import Board
from tinynas.lab.build import build_image
from tinynas.lab.link import SerialLink
from tinynas.lab.rawlog import RawLog
from tinynas.lab.session import open_board

LIMIT_S = 0.4
Double = Callable[[int], None]  # gets the board's end of the line


@contextmanager
def attached(double: Double, log: Path) -> Iterator[SerialLink]:
    """A link to `double`, which runs in a thread after the first bytes have come."""
    board_end, our_end = os.openpty()
    tty.setraw(our_end)
    raw_log = RawLog(log)
    link = SerialLink(os.ttyname(our_end), raw_log)
    os.close(our_end)

    def run() -> None:
        os.read(board_end, 100)
        double(board_end)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield link
    finally:
        thread.join(10)
        link.close()
        raw_log.close()


def says(text: bytes) -> Double:
    def say(line: int) -> None:
        os.write(line, text)

    return say


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (b"", NoAnswerError, "wanted the answer to 'profile', the board says nothing; is it powered"),
        (b"m-profile-[x]\r\n", NoAnswerError, r"wanted the answer to 'profile', the last .* is 'm-profile-\[x\]'"),
        (b"m-profile-[x", NoAnswerError, r"the last that came is 'm-profile-\[x'"),
        (b"login: ", FirmwareError, r"the last that came is 'login: '; is another firmware running"),
        (b"\xf3\x00\xf3", GarbledError, r"or the line not at 115200 baud\?"),
        (b"\xf3\x00m-\xff\r\n", GarbledError, r"garbled answer to 'profile': .* found '\\\\xf3"),
        (b"Hello, world\r\nm-ready\r\n", FirmwareError, "garbled answer .* found 'Hello, world'"),
        (b"m-profile-[x]\r\nHello, world\r\n", GarbledError, "garbled answer .* found 'Hello, world'"),
        (b"m-pro\x07file\r\n", GarbledError, "garbled answer"),
        (b"m-timestamp-mode-performance\r\nm-init-done\r\nm-ready\r\n", RebootedError, "restarted during 'profile'"),
        (b"e-[usage: x]\r\nm-ready\r\n", RefusedError, r"'profile' answered e-\[usage: x\]"),
        (b"e-[usage: x]\r\n", RefusedError, r"'profile' answered e-\[usage: x\]"),
        (b"\r\ne-[fault: see cfsr]\r\n", ModelFaultError, "'profile' answered e-.fault"),
        (b"e-[canary: stack overflow]\r\nm-ready\r\n", ModelFaultError, "stack overflow"),
    ],
)
def test_a_faulty_board_is_told_within_the_limit(
    text: bytes, kind: type[LinkError], message: str, tmp_path: Path
) -> None:
    start_s = time.monotonic()
    with attached(says(text), tmp_path / "log") as link, pytest.raises(LinkError, match=message) as caught:
        link.command("profile", LIMIT_S)
    assert type(caught.value) is kind
    assert time.monotonic() - start_s < LIMIT_S + 1
    assert str(tmp_path / "log") in str(caught.value)


def test_a_cut_line_is_an_error_not_a_wait(tmp_path: Path) -> None:
    start_s = time.monotonic()
    with attached(os.close, tmp_path / "log") as link, pytest.raises(PortLostError, match="the line broke"):
        link.command("profile", 30)
    assert time.monotonic() - start_s < 5


def test_slow_lines_are_put_together(tmp_path: Path) -> None:
    def slowly(line: int) -> None:
        for byte in b"m-name-dut-[x]\r\nm-ready\r\n":
            os.write(line, bytes([byte]))

    with attached(slowly, tmp_path / "log") as link:
        assert link.command("name", 10) == ["m-name-dut-[x]"]


@pytest.mark.parametrize("noise", [b"", b"\x00\xffpower-up noise\r\n", b"half a line m-"])
def test_what_stands_before_a_boot_is_ignored(noise: bytes, tmp_path: Path) -> None:
    boot = b"\r\nm-timestamp-mode-performance\r\nm-init-done\r\nm-ready\r\n"
    with attached(says(noise + boot), tmp_path / "log") as link:
        link.send(b"x")
        link.wait_boot(10)


def test_a_port_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PortLostError, match="/dev/nonesuch: cannot be opened"):
        SerialLink("/dev/nonesuch", RawLog(tmp_path / "log"))


def test_a_port_that_another_program_has_open_is_busy(tmp_path: Path) -> None:
    with (
        attached(says(b""), tmp_path / "log") as link,
        pytest.raises(BusyError, match=f"{link.port}: another program has it open"),
    ):
        link.send(b"x")
        SerialLink(link.port, RawLog(tmp_path / "log"))


def take(answer: Answer, lines: bytes) -> bool:
    return [answer.take(line, GarbledError) for line in lines.splitlines(keepends=True)][-1]


def closed(command: bytes, lines: bytes, tag: str = "7") -> bytes:
    return lines + f"m-tag-{tag}-{zlib.crc32(command + lines):08x}\r\nm-ready\r\n".encode()


def test_a_tagged_answer_is_believed_if_its_checksum_fits() -> None:
    answer = Answer("time 1", "7")
    assert answer.request == b"tag 7 time 1%"
    assert take(answer, closed(b"time 1", b"m-overhead-3\r\nm-ticks-99\r\n"))
    assert answer.lines == ["m-overhead-3", "m-ticks-99"]


@pytest.mark.parametrize("seed", range(20))
def test_no_changed_byte_of_a_tagged_answer_is_believed(seed: int) -> None:
    """It is an error, or there is no answer yet."""
    rng = random.Random(seed)
    said = bytearray(closed(b"time 1", b"m-overhead-3\r\nm-ticks-99\r\n"))
    said[rng.randrange(len(said) - len(b"m-ready\r\n"))] ^= 1 << rng.randrange(7)
    answer = Answer("time 1", "7")
    try:
        whole = take(answer, bytes(said))
    except GarbledError:
        return
    assert not whole or answer.error is not None


def test_an_answer_to_another_command_than_the_one_sent_is_not_believed() -> None:
    with pytest.raises(GarbledError, match="checksum"):
        take(Answer("time 1", "7"), closed(b"time 3", b"m-overhead-3\r\nm-ticks-99\r\n"))


def test_the_answer_to_an_older_command_is_dropped() -> None:
    answer = Answer("time 1", "7")
    assert not take(answer, closed(b"time 1", b"m-overhead-3\r\nm-ticks-98\r\n", tag="6"))
    assert take(answer, closed(b"time 1", b"m-overhead-3\r\nm-ticks-99\r\n"))
    assert answer.lines == ["m-overhead-3", "m-ticks-99"]


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="serial log cannot be written"):
        RawLog(tmp_path / "file" / "log")


def test_an_attached_board_is_not_flashed(stm32: Board, tmp_path: Path) -> None:
    with attached(says(b""), tmp_path / "log") as link:
        link.send(b"x")
        port = link.port
        link.close()
        with open_board(stm32, port=port) as opened, pytest.raises(BoardError, match="no flasher for this board"):
            opened.flash(build_image(toy(), stm32))
