"""Boards that have a serial port and nothing else: timed, evaluated, farmed, and found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.lab.attached import AttachedDouble, attached_double
from tests.lab.lines import Direction, Line
from tests.lab.nets import SIDE, small_net
from tinynas.errors import BoardError, BusyError, PortLostError
from tinynas.lab.board import Board, load_board
from tinynas.lab.evaluate import evaluate_on_board
from tinynas.lab.farm import Farm
from tinynas.lab.measure import measure
from tinynas.lab.ports import port_lock, port_of
from tinynas.lab.session import open_board
from tinynas.lab.store import MeasurementStore
from tinynas.lab.usb import UsbDevice


@pytest.fixture
def double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AttachedDouble]:
    with attached_double(tmp_path) as opened:
        monkeypatch.setenv("PATH", opened.path)
        yield opened


def board_of(double: AttachedDouble) -> Board:
    return load_board(str(double.board_file))


def test_a_model_is_timed_over_the_port(double: AttachedDouble) -> None:
    board = board_of(double)
    with open_board(board, port=double.port) as session:
        found = measure(small_net(0), board, session=session, allow_spread=True)  # other tests run beside it
    assert found.bit_exact
    assert (found.latency_kind, found.instructions) == ("measured", None)
    assert found.latency_us > 0


def test_images_are_classified_over_the_port_by_the_one_board_there_is(double: AttachedDouble) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, SIDE, SIDE, 1), np.uint8)
    found = evaluate_on_board(small_net(0), board_of(double), images, np.zeros(20, np.int64), port=double.port)
    assert (found.images, found.images_identical_to_host) == (20, 20)
    assert double.flashed == 1


def test_a_farm_of_a_real_board_has_one_worker(double: AttachedDouble, tmp_path: Path) -> None:
    models = [small_net(seed) for seed in range(2)]
    with Farm(board_of(double), workers=4, port=double.port, repeats=1) as farm:
        found = farm.measure_all(models, MeasurementStore(tmp_path / "db"))
    assert all(measurement.bit_exact for measurement in found)
    assert double.flashed == 2


class Slip:
    """Changes one digit of the first time that is told."""

    def __init__(self) -> None:
        self.changed = 0
        self._line = b""

    def pass_on(self, line: Line, direction: Direction, data: bytes) -> None:
        if direction == "to_board" or self.changed:
            line.deliver(direction, data)
            return
        self._line += data
        if found := re.search(rb"m-ticks-(\d)\d*\r\n", self._line):
            self.changed += 1
            other = b"1" if found[1] != b"1" else b"2"
            self._line = self._line[: found.start(1)] + other + self._line[found.end(1) :]
        if self.changed or self._line.endswith(b"\n"):
            line.deliver(direction, self._line)
            self._line = b""


def test_a_farm_measures_again_what_failed_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slip = Slip()
    with attached_double(tmp_path, slip) as double:
        monkeypatch.setenv("PATH", double.path)
        with Farm(board_of(double), port=double.port, repeats=1) as farm:
            (found,) = farm.measure_all([small_net(0)], MeasurementStore(tmp_path / "db"))
    assert found.bit_exact
    assert (slip.changed, double.flashed) == (1, 2)


def test_a_farm_whose_board_is_not_there_says_so(double: AttachedDouble, tmp_path: Path) -> None:
    with (
        Farm(board_of(double), port=str(tmp_path / "elsewhere")) as farm,
        pytest.raises(PortLostError, match="elsewhere: cannot be opened"),
    ):
        farm.measure_all([small_net(0)], MeasurementStore(tmp_path / "db"))


def test_a_board_in_use_is_refused_to_another(double: AttachedDouble) -> None:
    with (
        port_lock(double.port, "a long test"),
        pytest.raises(BusyError, match="a long test"),
        open_board(board_of(double), port=double.port),
    ):
        pass


def device(serial: str, usb: str = "1209:0001", port: str | None = None) -> UsbDevice:
    return UsbDevice(usb, "1-1", serial, ports=(port or f"/dev/{serial}",))


def test_a_real_board_is_found_by_its_usb_identity(double: AttachedDouble) -> None:
    others = [device("other", "0403:6001"), UsbDevice("1209:0001", "1-2", "no port")]
    assert port_of(board_of(double), [*others, device("right")]) == "/dev/right"


@pytest.mark.parametrize(
    ("there", "message"),
    [
        ([], "none is attached: wanted a serial port of USB device 1209:0001, found none"),
        ([device("x", "0403:6001")], "found 0403:6001 x; plug it in"),
        ([device("a"), device("b")], r"2 devices can be double: /dev/a \(1209:0001 a\), /dev/b .*--port /dev/a"),
    ],
)
def test_none_or_several_are_named(double: AttachedDouble, there: list[UsbDevice], message: str) -> None:
    with pytest.raises(BoardError, match=message):
        port_of(board_of(double), there)
