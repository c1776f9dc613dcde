"""Uploads to the real runner of the host, over lines that are slow, noisy, cut or old."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.lab.lines import Clean, Direction, HostRunner, Line, Tamper
from tests.lab.throttle import Throttle
from tests.lab.toy import toy, toy_inputs, toy_output
from tinynas.errors import LinkError, NoAnswerError, PortLostError, RebootedError
from tinynas.lab.board import load_board
from tinynas.lab.build import build_image
from tinynas.lab.device import AttachedDevice
from tinynas.lab.limits import Limits
from tinynas.lab.rawlog import RawLog
from tinynas.lab.session import BoardSession

LIMITS = Limits(command_s=8, synchronise_s=4, replug_s=2)
BAUD = 921_600


@contextmanager
def runner(tmp_path: Path, tamper: Tamper, n: int) -> Iterator[tuple[BoardSession, Line]]:
    """A session, not yet attached, with a host runner whose model has inputs of n bytes and of one."""
    host = load_board("host")
    process = HostRunner(build_image(toy(n=n, arena=2 * n + 4096), host).elf)
    line = Line(tmp_path / "port", tamper)
    line.board = process.end
    log = RawLog(tmp_path / "log")
    try:
        device = AttachedDevice(host, str(line.port), log)
        device.link.baud = BAUD
        yield BoardSession(host, device, log, LIMITS), line
        device.close()
    finally:
        log.close()
        line.close()
        process.stop()


def check(session: BoardSession, n: int, seed: int = 0) -> None:
    inputs = toy_inputs(seed, n)
    np.testing.assert_array_equal(session.infer(inputs)[0], toy_output(inputs))


@pytest.mark.parametrize("n", [3 * 32 * 32, 3 * 96 * 96])
def test_four_fifths_of_the_time_on_the_line_are_payload(tmp_path: Path, n: int) -> None:
    """92,160 B/s is 921,600 baud; the command, its answer, framing, acknowledgements and round trips are the rest."""
    throttle = Throttle(BAUD / 10, round_trip_s=0.001)
    with runner(tmp_path, throttle, n) as (session, _):
        session.attach()
        before_s, before = throttle.line_s, dict(throttle.carried)
        session.load(toy_inputs(0, n))
        seconds = throttle.line_s - before_s
        sent = throttle.carried["to_board"] - before["to_board"]
        assert n / (seconds * BAUD / 10) >= 0.8
        assert n / sent >= 0.9


class Noise:
    """Drops, changes and adds bytes, one in `every`, from when it is switched on."""

    def __init__(self, seed: int, every: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._every = every
        self.on = False

    def pass_on(self, line: Line, direction: Direction, data: bytes) -> None:
        line.deliver(direction, b"".join(map(self._harm, data)) if self.on else data)

    def _harm(self, byte: int) -> bytes:
        if self._rng.integers(self._every):
            return bytes([byte])
        bad = int(self._rng.integers(256))
        return (b"", bytes([bad]), bytes([byte, bad]))[self._rng.integers(3)]


@pytest.mark.parametrize("seed", range(3))
def test_a_noisy_line_costs_frames_not_correctness(tmp_path: Path, seed: int) -> None:
    n, noise = 20_000, Noise(seed, every=2000)
    with runner(tmp_path, noise, n) as (session, _):
        session.attach()
        inputs = toy_inputs(seed, n)
        noise.on = True
        session.load(inputs)
        noise.on = False
        assert int(session.stats().arena_bytes) == 2 * n + 4096
        np.testing.assert_array_equal(session.infer(inputs)[0], toy_output(inputs))


class Scissors:
    """Cuts the line `after` bytes behind the `mark` to the board; `back_s` later it is there again, on another pty."""

    def __init__(self, mark: bytes, after: int, back_s: float | None) -> None:
        self._mark = mark
        self._left = after
        self._back_s = back_s
        self._sent = b""
        self.cuts = 0

    def pass_on(self, line: Line, direction: Direction, data: bytes) -> None:
        if direction == "from_board" or self.cuts:
            line.deliver(direction, data)
            return
        before, self._sent = len(self._sent), self._sent + data
        end = self._sent.find(self._mark) + self._left if self._mark in self._sent else len(self._sent) + 1
        line.deliver(direction, data[: max(end - before, 0)])
        if end <= len(self._sent):
            self._cut(line)

    def _cut(self, line: Line) -> None:
        self.cuts += 1
        line.unplug()
        if self._back_s is not None:
            line.later(self._back_s, line.plug)


def test_after_a_cut_the_upload_goes_on_where_the_board_has_it(tmp_path: Path) -> None:
    n = 50_000
    scissors = Scissors(b"put 0 ", after=30_000, back_s=0.2)
    with runner(tmp_path, scissors, n) as (session, _):
        session.attach()
        check(session, n)
    starts = [int(at) for at in re.findall(r"Expecting 50000 bytes from (\d+)\]", (tmp_path / "log").read_text())]
    assert scissors.cuts == 1
    assert starts[0] == 0
    assert starts[1] > 20_000


def test_an_upload_into_a_port_that_stays_away_is_given_up(tmp_path: Path) -> None:
    with runner(tmp_path, Scissors(b"put 0 ", after=3_000, back_s=None), 5_000) as (session, _):
        session.attach()
        with pytest.raises(PortLostError, match="cannot be opened"):
            session.load(toy_inputs(0, 5_000))


class PowerCut(Scissors):
    """The line is cut, and the board has lost its memory when it is back: another process, freshly started."""

    def __init__(self, elf: Path, mark: bytes, after: int) -> None:
        super().__init__(mark, after, 0.2)
        self._elf = elf
        self.second: HostRunner | None = None

    def _cut(self, line: Line) -> None:
        super()._cut(line)
        self.second = HostRunner(self._elf)
        line.board = self.second.end


@pytest.mark.parametrize(("mark", "after"), [(b"put 0 ", 3_000), (b"put 1 ", 10)])
def test_a_board_that_lost_its_memory_with_the_line_gets_all_inputs_again(
    tmp_path: Path, mark: bytes, after: int
) -> None:
    """Cut in the first input, and in the second, when the first had arrived."""
    elf = build_image(toy(n=5_000, arena=14_096), load_board("host")).elf
    power = PowerCut(elf, mark, after)
    with runner(tmp_path, power, 5_000) as (session, _):
        session.attach()
        check(session, 5_000)
    assert power.second is not None
    power.second.stop()


class Deaf:
    """From when it is switched on, nothing comes from the board."""

    def __init__(self) -> None:
        self.on = False

    def pass_on(self, line: Line, direction: Direction, data: bytes) -> None:
        if direction == "to_board" or not self.on:
            line.deliver(direction, data)


def test_an_upload_to_a_silent_board_ends(tmp_path: Path) -> None:
    deaf = Deaf()
    with runner(tmp_path, deaf, 5_000) as (session, _):
        session.attach()
        session.limits = Limits(command_s=1, synchronise_s=1)
        deaf.on = True
        with pytest.raises(NoAnswerError):
            session.load(toy_inputs(0, 5_000))


def test_a_board_left_in_the_middle_of_an_upload_listens_to_the_next_program(tmp_path: Path) -> None:
    with runner(tmp_path, Clean(), 5_000) as (session, line):
        session.attach()
        line.deliver("to_board", b"put 0 5000 00000000%\x05\x00half a frame")
        session.attach()
        check(session, 5_000)


class OldFirmware:
    """Before `tag` and `put`: the runner is made not to know them."""

    def __init__(self) -> None:
        self._line = b""

    def pass_on(self, line: Line, direction: Direction, data: bytes) -> None:
        if direction == "to_board":
            line.deliver(direction, re.sub(rb"\b(tag|put) ", rb"\1? ", data))
        else:
            *lines, self._line = (self._line + data).split(b"\n")
            for text in lines:
                said = text.replace(b"tag?", b"tag").replace(b" put ", b" ").replace(b" tag ", b" ")
                line.deliver(direction, said + b"\n")


def test_an_older_firmware_is_loaded_by_the_standard_commands(tmp_path: Path) -> None:
    with runner(tmp_path, OldFirmware(), 64) as (session, _):
        hello = session.attach()
        assert not {"put", "tag"} & set(hello.extensions)
        check(session, 64)
    sent = (tmp_path / "log").read_text()
    assert "'db load 65%'" in sent
    assert "put 0" not in sent


def test_a_restart_during_an_upload_is_named(tmp_path: Path) -> None:
    boot = b"\r\nm-timestamp-mode-performance\r\nm-init-done\r\nm-ready\r\n"

    class Restart(Clean):
        said = b""  # a line may come in pieces

        def pass_on(self, line: Line, direction: Direction, data: bytes) -> None:
            announced = rb"Expecting 5000.*\n"
            before, self.said = self.said, self.said + data
            if re.search(announced, self.said) and not re.search(announced, before):
                line.board = -1
                data += boot
            line.deliver(direction, data)

    with runner(tmp_path, Restart(), 5_000) as (session, _):
        session.attach()
        with pytest.raises(RebootedError, match="restarted during"):
            session.load(toy_inputs(0, 5_000))


def test_errors_name_port_and_log(tmp_path: Path) -> None:
    with runner(tmp_path, Scissors(b"put 0 ", after=200, back_s=None), 5_000) as (session, line):
        with pytest.raises(LinkError) as caught:
            session.attach()
            session.load(toy_inputs(0, 5_000))
        assert str(line.port) in str(caught.value)
