"""Faulty boards: a double at the other end of a pty that says the wrong thing, or nothing."""

from __future__ import annotations

import os
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.toy import toy
from tinynas.errors import BoardError, LinkError, StoreError
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
    ("text", "message"),
    [
        (b"", "wanted the answer to 'profile', the board says nothing; is it powered"),
        (b"m-profile-[x]\r\n", r"wanted the answer to 'profile', the last that came is 'm-profile-\[x\]'"),
        (b"m-profile-[x", r"the last that came is 'm-profile-\[x'; is another firmware running\?"),
        (b"\xf3\x00m-\xff\r\n", r"garbled answer to 'profile': .* found '\\\\xf3"),
        (b"Hello, world\r\nm-ready\r\n", "garbled answer .* found 'Hello, world'"),
        (b"m-pro\x07file\r\n", "garbled answer"),
        (b"m-timestamp-mode-performance\r\nm-init-done\r\nm-ready\r\n", "the board restarted during 'profile'"),
        (b"e-[usage: x]\r\nm-ready\r\n", r"'profile' answered e-\[usage: x\]"),
    ],
)
def test_a_faulty_board_is_told_within_the_limit(text: bytes, message: str, tmp_path: Path) -> None:
    start_s = time.monotonic()
    with attached(says(text), tmp_path / "log") as link, pytest.raises(LinkError, match=message) as caught:
        link.command("profile", LIMIT_S)
    assert time.monotonic() - start_s < LIMIT_S + 1
    assert str(tmp_path / "log") in str(caught.value)


def test_a_cut_line_is_an_error_not_a_wait(tmp_path: Path) -> None:
    start_s = time.monotonic()
    with attached(os.close, tmp_path / "log") as link, pytest.raises(LinkError, match="the line broke"):
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
    with pytest.raises(LinkError, match="/dev/nonesuch: cannot be opened"):
        SerialLink("/dev/nonesuch", RawLog(tmp_path / "log"))


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
