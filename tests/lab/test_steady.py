"""Real boards' times: believed only if they repeat and the clock is right. The host runner stands for the board."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.nets import small_net
from tests.lab.toy import counted, toy
from tinynas.errors import UnsteadyError
from tinynas.lab.board import load_board
from tinynas.lab.build import build_image
from tinynas.lab.measure import measure
from tinynas.lab.session import BoardSession, open_board
from tinynas.lab.steady import MAX_SPREAD, Repeats, require_same_clock, spread, time_steadily

# long enough on any machine that a pause falls into an inference
_SLOW = "for (volatile int k = 0; k < 3000000; k++) {}"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[BoardSession]:
    board = load_board("host")
    with open_board(board, log=tmp_path / "log") as session:
        session.flash(build_image(toy(during=_SLOW), board))
        yield session


@contextmanager
def perturbed(session: BoardSession) -> Iterator[None]:
    """The runner's process is stopped for 30 ms, runs for 30 ms, and so on: as a board whose clock throttles."""
    process = session._device._process.pid  # type: ignore[attr-defined]
    done = threading.Event()

    def run() -> None:
        while not done.wait(0.03):
            os.kill(process, signal.SIGSTOP)
            time.sleep(0.03)
            os.kill(process, signal.SIGCONT)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize(
    ("times", "wanted"), [([5.0], 0.0), ([100.0, 101.0, 102.0], 2 / 101), ([1.0, 3.0], 2.0), ([0.0, 0.0], 0.0)]
)
def test_spread(times: list[float], wanted: float) -> None:
    assert spread(times) == pytest.approx(wanted)


def test_a_board_whose_times_scatter_is_not_reported(host: BoardSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinynas.lab.steady.require_clock", lambda session: None)
    with perturbed(host), pytest.raises(UnsteadyError, match=r"8 repeats took .* wanted at most 2 %.*--allow-spread"):
        time_steadily(host, Repeats(1, 8))
    with perturbed(host):
        timing = time_steadily(host, Repeats(1, 8, allow_spread=True))
    assert spread(timing.all_latency_us) > MAX_SPREAD


def test_a_board_that_repeats_is_reported(tmp_path: Path) -> None:
    """QEMU counts the same each time; its clock is guest time, so that it is not compared with this machine's."""
    board = load_board("qemu-stm32f405")
    generated, instructions = counted(1000)
    with open_board(board, log=tmp_path / "log") as session, pytest.MonkeyPatch.context() as patch:
        patch.setattr("tinynas.lab.steady.require_clock", lambda session: None)
        session.flash(build_image(generated, board))
        assert time_steadily(session, Repeats(2, 5)).all_instructions == (instructions,) * 5


def test_the_clock_of_an_honest_board_agrees(host: BoardSession) -> None:
    start_us, start_s = host.now_us(), time.monotonic()
    time.sleep(0.5)
    board_s, here_s = (host.now_us() - start_us) / 1e6, time.monotonic() - start_s
    assert board_s == pytest.approx(here_s, rel=0.2)  # other work may share this machine


@pytest.mark.parametrize("board_s", [0.5, 0.94, 1.06, 2.0, 0.0])
def test_a_clock_that_is_set_up_wrong_is_told(board_s: float) -> None:
    with pytest.raises(UnsteadyError, match="does not run at the clock_hz of its board file"):
        require_same_clock("nucleo", board_s, 1.0)
    require_same_clock("nucleo", 1.03, 1.0)


def test_the_runner_tells_the_clock_it_was_built_for(tmp_path: Path) -> None:
    board = load_board("qemu-stm32f405")
    with open_board(board, log=tmp_path / "log") as session:
        assert session.flash(build_image(toy(), board)).clock_hz == board.clock_hz


def test_a_measurement_says_how_steady_it_was(tmp_path: Path) -> None:
    found = measure(small_net(seed=1), load_board("host"), repeats=4, warmups=2, log=tmp_path / "log")
    assert found.warmups == 2 and found.repeats == 4
    assert found.spread is not None and found.spread >= 0
    virtual = measure(small_net(seed=1), load_board("qemu-stm32f405"), repeats=2, log=tmp_path / "log2")
    assert virtual.warmups is virtual.spread is None
