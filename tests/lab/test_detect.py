"""Devices as they look on the bus: which board they are, or can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinynas.errors import BoardError
from tinynas.lab.board import known_boards, load_board
from tinynas.lab.detect import Detected, detect
from tinynas.lab.ports import port_of
from tinynas.lab.usb import UsbDevice

STLINK, DAPLINK = "0483:374b", "0d28:0204"
MBED = '<html><meta http-equiv="refresh" content="0; url=https://mbed.org/device/?code=08160221066D"/></html>'


def one(device: UsbDevice) -> Detected:
    (found,) = detect([device])
    return found


def names(found: Detected) -> set[str]:
    return {board.name for board in found.boards}


def drive(folder: Path, name: str, text: str) -> tuple[Path, ...]:
    (folder / name).write_bytes(text.replace("\n", "\r\n").encode())
    return (folder,)


@pytest.mark.parametrize(
    "name", [name for name in known_boards() if (found := load_board(name).hardware) and found.usb]
)
def test_every_board_is_among_those_with_its_usb_ids(name: str) -> None:
    hardware = load_board(name).hardware
    assert hardware is not None
    for usb in hardware.usb:
        found = one(UsbDevice(usb, "1-2", "S", ports=("/dev/ttyACM0",)))
        assert name in names(found)
        assert not found.in_bootloader


def test_boards_that_share_a_probe_are_all_named() -> None:
    found = one(UsbDevice(STLINK, "1-2", "066DFF", "STM32 STLink", ports=("/dev/ttyACM0",)))
    assert {"nucleo-f401re", "nucleo-f446re", "nucleo-f746zg", "stm32f746g-disco"} <= names(found)
    assert found.told_by == "USB ids"
    assert "nucleo_f746zg" in found.as_json()["environments"]


@pytest.mark.parametrize(
    ("file", "text"), [("MBED.HTM", MBED), ("DETAILS.TXT", "# DAPLink\nUnique ID: 08160221066D\nHIC ID: 97969906\n")]
)
def test_the_probe_s_drive_tells_which(tmp_path: Path, file: str, text: str) -> None:
    found = one(UsbDevice(STLINK, "1-2", "066DFF", volumes=drive(tmp_path, file, text)))
    assert names(found) == {"nucleo-f746zg"}
    assert found.told_by == "mbed id"


def test_a_drive_of_a_board_that_is_not_known_rules_nothing_out(tmp_path: Path) -> None:
    found = one(UsbDevice(STLINK, "1-2", "066DFF", volumes=drive(tmp_path, "MBED.HTM", MBED.replace("0816", "9999"))))
    assert len(names(found)) > 1


@pytest.mark.parametrize(
    ("board_id", "usb", "name"),
    [("RPI-RP2", "2e8a:0003", "raspberry-pi-pico"), ("RP2350", "2e8a:000f", "raspberry-pi-pico-2")],
)
def test_a_uf2_bootloader_is_told_from_a_running_board(tmp_path: Path, board_id: str, usb: str, name: str) -> None:
    found = one(UsbDevice(usb, "1-2", "E66", volumes=drive(tmp_path, "INFO_UF2.TXT", f"UF2\nBoard-ID: {board_id}\n")))
    assert names(found) == {name}
    assert found.in_bootloader


def test_the_product_name_tells_where_ids_do_not() -> None:
    boards = [load_board("raspberry-pi-pico"), load_board("xiao-nrf52840-sense")]
    hardware = boards[0].hardware
    assert hardware is not None
    same_ids = [board.model_copy(update={"hardware": hardware}) for board in boards]
    (found,) = detect([UsbDevice(hardware.usb[0], "1-2", "1", "XIAO nRF52840 Sense")], same_ids)
    assert names(found) == {"xiao-nrf52840-sense"}


def test_a_serial_port_that_is_no_known_board_is_listed_and_a_keyboard_is_not() -> None:
    found = detect([UsbDevice("1234:5678", "1-3", "9", ports=("/dev/ttyUSB0",)), UsbDevice("046d:c31c", "1-4")])
    assert [(each.device.usb, each.boards) for each in found] == [("1234:5678", ())]


def test_boards_with_one_kind_of_probe_are_found_by_their_drives(tmp_path: Path) -> None:
    """Two NUCLEOs are attached; the one that was asked for is at its own port."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    devices = [
        UsbDevice(STLINK, "1-1", "A", ports=("/dev/ttyACM0",), volumes=drive(tmp_path / "a", "MBED.HTM", MBED)),
        UsbDevice(
            STLINK, "1-2", "B", ports=("/dev/ttyACM1",),
            volumes=drive(tmp_path / "b", "MBED.HTM", MBED.replace("0816", "0720")),
        ),
    ]  # fmt: skip
    assert port_of(load_board("nucleo-f746zg"), devices) == "/dev/ttyACM0"
    assert port_of(load_board("nucleo-f401re"), devices) == "/dev/ttyACM1"
    with pytest.raises(BoardError, match="found 0483:374b A, 0483:374b B"):
        port_of(load_board("nucleo-f446re"), devices)
