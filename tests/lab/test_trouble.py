"""What users do to boards: Ctrl-C in the middle, two programs at once, a plug pulled, the wrong firmware or speed.

All through the command line, on a board that is attached by a serial port.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.lab.attached import AttachedDouble, attached_double
from tests.lab.faults import Fault, Harm
from tests.lab.lines import Direction, Line
from tests.lab.nets import small_net

LIMIT_S = 90.0


PUT = b" put 0 1024 "


class Gate:
    """Lets the command for an upload and half of its frames through, and holds the rest back until it is opened."""

    def __init__(self) -> None:
        self.sent = b""
        self._open = False
        self._passed = 0

    def pass_on(self, line: Line, direction: Direction, data: bytes) -> None:
        if direction == "from_board":
            line.deliver(direction, data)
            return
        self.sent += data
        self._let_through(line)

    def open(self, line: Line) -> None:
        self._open = True
        line.later(0, lambda: self._let_through(line))

    def _let_through(self, line: Line) -> None:
        closed = PUT in self.sent and not self._open
        end = self.sent.find(PUT) + 500 if closed else len(self.sent)
        ready, self._passed = self.sent[self._passed : end], max(self._passed, min(end, len(self.sent)))
        line.deliver("to_board", ready)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def double(tmp_path: Path, gate: Gate) -> Iterator[AttachedDouble]:
    with attached_double(tmp_path, gate) as opened:
        yield opened


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(small_net(0, side=32))
    return path


def command(double: AttachedDouble, *words: str | Path) -> list[str]:
    script = "from tinynas.cli.main import run; run()"
    board = ("--board", str(double.board_file), "--port", double.port)
    return [sys.executable, "-c", script, *map(str, words), *board]


def start(double: AttachedDouble, *words: str | Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PATH": double.path}
    pipe = subprocess.PIPE
    return subprocess.Popen(command(double, *words), env=environment, stdout=pipe, stderr=pipe, text=True)


def run(double: AttachedDouble, *words: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": double.path}
    return subprocess.run(
        command(double, *words), env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


def wait_for_upload(gate: Gate, process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while PUT not in gate.sent:
        assert process.poll() is None, "it has ended"
        assert time.monotonic() < deadline_s, gate.sent
        time.sleep(0.01)


def test_ctrl_c_in_an_upload_leaves_board_and_terminal_usable(double: AttachedDouble, gate: Gate, model: Path) -> None:
    screen, terminal = os.openpty()
    before = termios.tcgetattr(terminal)
    process = subprocess.Popen(
        [
            "setsid",
            "--ctty",
            *command(double, "time", model, "--allow-spread"),
        ],  # so that Ctrl-C reaches it as it does at a desk
        env={**os.environ, "PATH": double.path},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    wait_for_upload(gate, process)
    os.write(screen, b"\x03")
    assert process.wait(LIMIT_S) == 130
    said = b""
    while select.select([screen], [], [], 0.2)[0]:
        said += os.read(screen, 100_000)
    assert b"tinynas: interrupted" in said
    assert b"Traceback" not in said
    assert said.rfind(b"\x1b[?25h") >= said.rfind(b"\x1b[?25l")  # the cursor is shown if it was hidden
    assert termios.tcgetattr(terminal) == before
    os.close(screen)
    os.close(terminal)
    gate.open(double.line)
    again = run(double, "time", model, "--json", "--allow-spread")
    assert (again.returncode, again.stderr) == (0, "")
    assert '"bit_exact": true' in again.stdout


def test_of_two_programs_at_one_board_the_second_is_told_who_has_it(
    double: AttachedDouble, gate: Gate, model: Path
) -> None:
    first = start(double, "time", model, "--allow-spread")
    wait_for_upload(gate, first)
    os.kill(first.pid, signal.SIGSTOP)  # the upload takes as long as the second program needs
    gate.open(double.line)
    second = run(double, "flash", model)
    os.kill(first.pid, signal.SIGCONT)
    assert second.returncode == 2
    assert f"process {first.pid}" in second.stderr
    assert double.flashed == 1
    assert first.communicate(timeout=LIMIT_S)[1] == ""
    assert first.returncode == 0


def test_a_plug_that_is_pulled_is_one_line(double: AttachedDouble, gate: Gate, model: Path) -> None:
    process = start(double, "time", model, "--allow-spread")
    wait_for_upload(gate, process)
    double.line.later(0, double.line.unplug)
    said = process.communicate(timeout=LIMIT_S)[1]
    assert process.returncode == 2
    assert said.count("\n") == 1
    assert f"{double.port}: cannot be opened" in said


def test_someone_else_s_firmware_and_a_wrong_speed_are_told(tmp_path: Path, model: Path) -> None:
    """Neither ever says that our runner has started; both waits for that run side by side."""
    messages = {"foreign": "is another firmware running", "baud": "the line not at 921600 baud"}
    with ExitStack() as stack:
        running = [stack.enter_context(_flashing(tmp_path / kind, model, kind)) for kind in messages]
        for process, message in zip(running, messages.values(), strict=True):
            said = process.communicate(timeout=LIMIT_S)[1]
            assert process.returncode == 2
            assert said.count("\n") == 1
            assert message in said


@contextmanager
def _flashing(folder: Path, model: Path, kind: str) -> Iterator[subprocess.Popen[str]]:
    harm = Harm(Fault(kind, "all", "from_board", 0, 0, 0), 1.0, lambda: None)
    harm.begin("all")
    folder.mkdir()
    with attached_double(folder, harm) as double:
        yield start(double, "flash", model)
