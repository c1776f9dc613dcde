"""pyOCD itself, through a virtual board's debug probe: flash, verify, restart, run."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.flashers.elves import write_elf
from tests.lab.toy import toy, toy_inputs, toy_output
from tinynas.errors import BoardError, FlashError
from tinynas.lab.board import Board, load_board
from tinynas.lab.build import build_image
from tinynas.lab.device import AttachedDevice, Flashing
from tinynas.lab.elf import Segment
from tinynas.lab.flashers.base import Target
from tinynas.lab.flashers.pyocd import PyOcdFlasher
from tinynas.lab.hardware import Hardware, PyOcd
from tinynas.lab.rawlog import RawLog
from tinynas.lab.session import BoardSession, open_board
from tinynas.lab.virtual import QemuBoard

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pyocd") is None, reason="needs pyocd: pip install 'tinynas[lab]'"
)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[RawLog]:
    opened = RawLog(tmp_path / "log")
    yield opened
    opened.close()


@pytest.mark.parametrize(("name", "sizes"), [("qemu-stm32f405", (64, 32)), ("qemu-mps3-an547", (32,))])
def test_a_virtual_board_is_flashed_and_runs(name: str, sizes: tuple[int, ...], tmp_path: Path) -> None:
    """A second image over the first, while that runs; counts as when QEMU's debugger wrote it."""
    board = load_board(name)
    with open_board(board, log=tmp_path / "log", flashing=Flashing("pyocd")) as session:
        for n in sizes:
            session.flash(build_image(toy(n=n), board))
            inputs = toy_inputs(n, n)
            assert session.infer(inputs)[0].tobytes() == toy_output(inputs).tobytes()
            by_pyocd = session.time(2).all_instructions
    with open_board(board, log=tmp_path / "log") as session:
        session.flash(build_image(toy(n=32), board))
        assert session.time(2).all_instructions == by_pyocd


def as_hardware(board: Board) -> Board:
    """The virtual board as if it stood on the desk: a serial port, and a probe that pyOCD finds."""
    hardware = Hardware(
        usb=("0d28:0204",),
        console="",
        baud=115_200,
        flashers=("pyocd",),
        reset=("probe",),
        pyocd=PyOcd(target="cortex_m"),
    )
    return board.model_copy(update={"kind": "hardware", "virtual": None, "hardware": hardware})


def test_a_board_on_the_desk_is_flashed_by_probe_and_timed_by_port(log: RawLog) -> None:
    """The way of a real board, as far as its USB plug."""
    virtual = load_board("qemu-stm32f405")
    desk = QemuBoard(virtual, log)
    try:
        port = desk.link.port
        desk.link.close()
        desk._machine.idle(virtual)  # no blank chip: QEMU ends where one locks up
        with desk.debug_probe() as probe:
            board = as_hardware(virtual)
            device = AttachedDevice(board, port, log, Flashing("pyocd", Target(probe=probe)))
            session = BoardSession(board, device, log)
            session.flash(build_image(toy(), virtual))
            inputs = toy_inputs(7)
            assert session.infer(inputs)[0].tobytes() == toy_output(inputs).tobytes()
            assert session.time(3).latency_us > 0
            PyOcdFlasher().reset(board, Target(probe=probe))
            device.link.wait_boot(10)
            device.close()
    finally:
        desk.close()


def test_what_does_not_read_back_is_told(log: RawLog) -> None:
    """Between this machine's memories there is nothing: writes are lost."""
    virtual = load_board("qemu-mps2-an386")
    image = write_elf(log.path.with_suffix(".elf"), [Segment(0x1000_0000, b"never seen again")])
    desk = QemuBoard(virtual, log)
    try:
        desk._machine.idle(virtual)
        with desk.debug_probe() as probe, pytest.raises(FlashError, match="0x10000000 does not read back"):
            PyOcdFlasher().flash(image, virtual, Target(probe=probe))
    finally:
        desk.close()


def test_no_probe_is_an_error_of_one_line() -> None:
    with pytest.raises(FlashError, match=r"nucleo-f401re: pyOCD could not restart it: .*; is the board attached"):
        PyOcdFlasher().reset(load_board("nucleo-f401re"), Target(probe="no such probe"))


def test_a_board_without_its_table_is_refused() -> None:
    with pytest.raises(BoardError, match=r"no \[hardware.pyocd\] table"):
        PyOcdFlasher().reset(load_board("teensy-41"), Target())
