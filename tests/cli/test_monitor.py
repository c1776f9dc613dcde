"""`tinynas monitor`, in a process of its own: from a script's pipe, and at a terminal."""

from __future__ import annotations

import ast
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Tinynas

CODE = "from tinynas.cli.main import run; run()"
COMMAND = [sys.executable, "-c", CODE, "monitor"]
LIMIT_S = 60


@pytest.fixture
def echo() -> Iterator[str]:
    """A port with someone at the other end who answers every line with the line in upper case."""
    theirs, ours = os.openpty()
    tty.setraw(ours)
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            if select.select([theirs], [], [], 0.02)[0]:
                os.write(theirs, os.read(theirs, 100).upper())

    thread = threading.Thread(target=run)
    thread.start()
    yield os.ttyname(ours)
    stop.set()
    thread.join()
    os.close(theirs)
    os.close(ours)


def logged(log: Path, direction: str) -> bytes:
    """All bytes of one direction."""
    lines = (line.split(maxsplit=2) for line in log.read_text().splitlines())
    return b"".join(ast.literal_eval(f"b{text}") for _, found, text in lines if found == direction)


@pytest.mark.parametrize("board", ["host", "qemu-stm32f405"])
def test_a_script_talks_to_a_board_through_pipes(board: str, tmp_path: Path) -> None:
    command = [*COMMAND, "--board", board, "--log", str(tmp_path / "log"), "--quiet-s", "2"]
    done = subprocess.run(command, input=b"name%timestamp%", capture_output=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().split("\r\n")
    assert lines[:2] == ["m-name-dut-[tinynas]", "m-ready"]
    assert lines[2].startswith("m-lap-us-") and lines[3] == "m-ready"
    assert logged(tmp_path / "log", ">").endswith(b"name%timestamp%")
    assert logged(tmp_path / "log", "<").endswith(done.stdout)


def test_bytes_of_any_port_are_passed_on_as_they_are(echo: str, tmp_path: Path) -> None:
    command = [*COMMAND, "--port", echo, "--log", str(tmp_path / "log"), "--quiet-s", "2"]
    sent = bytes(range(128)) * 3
    done = subprocess.run(command, input=sent, capture_output=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == sent.upper()


def _read_until(terminal: int, wanted: bytes) -> bytes:
    said, deadline_s = b"", time.monotonic() + LIMIT_S
    while wanted not in said and time.monotonic() < deadline_s:
        if select.select([terminal], [], [], 0.1)[0]:
            said += os.read(terminal, 1000)
    assert wanted in said
    return said


@pytest.mark.parametrize("key", [b"\x1d", b"\x03"])
def test_at_a_terminal_every_key_goes_out_and_two_leave(echo: str, tmp_path: Path, key: bytes) -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        [*COMMAND, "--port", echo, "--log", str(tmp_path / "log")], stdin=theirs, stdout=theirs, stderr=theirs
    )
    try:
        _read_until(ours, b"leave with Ctrl-]")
        time.sleep(0.1)  # to the terminal's raw mode: an earlier Ctrl-C would be an interrupt, and end it as well
        os.write(ours, b"k\x1b[A")
        _read_until(ours, b"K\x1b[A")
        os.write(ours, key)
        assert process.wait(LIMIT_S) == 0
        assert termios.tcgetattr(theirs) == before  # the terminal is as it was
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)


def test_an_interrupt_leaves_cleanly(echo: str, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    command = [*COMMAND, "--port", echo, "--log", str(tmp_path / "log")]
    process = subprocess.Popen(command, stdin=reader, stdout=subprocess.PIPE)
    try:
        os.write(writer, b"hello")
        assert process.stdout is not None and process.stdout.read(5) == b"HELLO"
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 0
    finally:
        process.kill()
        os.close(reader)
        os.close(writer)


def test_which_board_must_be_said(tinynas: Tinynas) -> None:
    result = tinynas("monitor")
    assert result.status == 2
    assert "which board? Give --board NAME, or --port" in result.err


def test_a_port_that_is_not_there_is_an_error_of_one_line(tinynas: Tinynas) -> None:
    result = tinynas("monitor", "--port", "/dev/nonesuch")
    assert result.status == 2
    assert "/dev/nonesuch: cannot be opened" in result.err
