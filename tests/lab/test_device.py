"""A real board behind its port: which probe flashes it, and what becomes of the line."""

from __future__ import annotations

import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.flashers.test_openocd import stand_in
from tinynas.errors import BoardError, NoAnswerError
from tinynas.lab import device, usb
from tinynas.lab.board import load_board
from tinynas.lab.device import AttachedDevice, Flashing
from tinynas.lab.flashers.base import Target
from tinynas.lab.rawlog import RawLog
from tinynas.lab.usb import UsbDevice


@pytest.fixture
def port() -> Iterator[str]:
    theirs, ours = os.openpty()
    tty.setraw(ours)
    yield os.ttyname(ours)
    os.close(theirs)
    os.close(ours)


def arguments_of_flashing(
    port: str, board: str, flashing: Flashing, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """What OpenOCD is called with; nobody answers on the line then."""
    stand_in(folder, f'printf "%s\\n" "$@" > {folder}/arguments', monkeypatch)
    monkeypatch.setattr(device, "BOOT_LIMIT_S", 0.05)
    log = RawLog(folder / "log")
    attached = AttachedDevice(load_board(board), port, log, flashing)
    with pytest.raises(NoAnswerError):
        attached.program(folder / "firmware.elf")
    attached.close()
    log.close()
    return (folder / "arguments").read_text().splitlines()


@pytest.mark.parametrize(
    ("board", "found", "asked", "wanted"),
    [
        ("nucleo-f746zg", ("0483:374b", "066DFF"), None, "adapter serial {066DFF}"),
        ("nrf52840-dk", ("1366:1015", "000683123456"), None, "adapter serial {683123456}"),
        ("nucleo-f746zg", ("0483:374b", "066DFF"), "other", "adapter serial {other}"),
        ("nucleo-f746zg", ("0483:374b", None), None, None),
    ],
)
def test_the_probe_that_has_the_port_flashes(
    port: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    board: str,
    found: tuple[str, str | None],
    asked: str | None,
    wanted: str | None,
) -> None:
    """Of several probes of a kind, OpenOCD would take any."""
    monkeypatch.setattr(usb, "attached", lambda: [UsbDevice(found[0], "1-2", found[1], ports=(port,))])
    flashing = Flashing(target=Target(probe=asked))
    arguments = arguments_of_flashing(port, board, flashing, tmp_path, monkeypatch)
    assert [word for word in arguments if word.startswith("adapter serial")] == ([wanted] if wanted else [])


def test_a_board_is_restarted_by_its_flasher(port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, f'printf "%s\\n" "$@" > {tmp_path}/arguments', monkeypatch)
    monkeypatch.setattr(usb, "attached", lambda: [UsbDevice("0483:374b", "1-2", "066DFF", ports=(port,))])
    log = RawLog(tmp_path / "log")
    attached = AttachedDevice(load_board("nucleo-f746zg"), port, log)
    attached.restart()
    attached.close()
    log.close()
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert arguments[-4:] == ["-c", "adapter serial {066DFF}", "-c", "init; reset run; shutdown"]


def test_a_board_that_only_its_button_restarts_is_told(port: str, tmp_path: Path) -> None:
    log = RawLog(tmp_path / "log")
    attached = AttachedDevice(load_board("raspberry-pi-pico"), port, log)
    with pytest.raises(BoardError, match="press the board's reset button"):
        attached.restart()
    attached.close()
    log.close()


def test_a_chip_with_its_own_usb_is_followed_to_its_new_port(
    port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes away when it is flashed, and comes back under another name."""
    theirs, ours = os.openpty()
    tty.setraw(ours)
    new, board = os.ttyname(ours), load_board("raspberry-pi-pico")
    places: list[tuple[str, ...]] = [(port,)]
    monkeypatch.setattr(
        usb,
        "attached",
        lambda: [UsbDevice("2e8a:000a", "1-2", "E66", ports=places.pop(0) if len(places) > 1 else places[0])],
    )
    monkeypatch.setattr(usb, "_POLL_S", 0.01)
    closed: list[bool] = []

    def flash(elf: Path, *_: object) -> None:
        closed.append(not attached.link._serial.is_open)
        places[:] = [(), (), (new,)]  # gone, for two looks

    monkeypatch.setattr(device, "flash", flash)
    log = RawLog(tmp_path / "log")
    attached = AttachedDevice(board, port, log)
    attached.program(tmp_path / "firmware.elf")
    assert closed == [True]  # the loader needs the port
    assert attached.link.port == new
    os.write(theirs, b"m-ready\r\n")
    assert attached.link.receive(5)
    attached.close()
    log.close()
    os.close(theirs)
    os.close(ours)
