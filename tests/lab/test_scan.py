"""Devices are given as the bus would tell them; nothing needs to be plugged in."""

from __future__ import annotations

import pytest

from tinynas.errors import BoardError, ConfigError
from tinynas.lab.board import load_board
from tinynas.lab.detect import Detected
from tinynas.lab.scan import attached_boards
from tinynas.lab.usb import UsbDevice

NUCLEO = UsbDevice("0483:374b", "1-1.4", "066E38", "STM32 STLink", ports=("/dev/ttyACM0",))


def seen(device: UsbDevice, *boards: str) -> Detected:
    return Detected(device, tuple(map(load_board, boards)), False, "USB ids")


def test_a_board_is_known_by_its_serial_number_and_its_probe_with_it() -> None:
    (found,) = attached_boards({}, [seen(NUCLEO, "nucleo-f401re")])
    assert (found.boards, found.serial, found.probe_id) == (("nucleo-f401re",), "066E38", "066E38")


def test_one_without_a_serial_number_is_known_by_its_place() -> None:
    device = UsbDevice("2341:805a", "1-1.2", product="Nano 33 BLE", ports=("/dev/ttyACM1",))
    (found,) = attached_boards({}, [seen(device, "nrf52840-dk")])
    assert found.serial == device.identity
    assert "1-1.2" in found.serial
    assert found.probe_id is None


def test_what_usb_cannot_tell_the_user_may_say() -> None:
    both = seen(NUCLEO, "nucleo-f401re", "nucleo-f446re")
    assert attached_boards({}, [both])[0].boards == ("nucleo-f401re", "nucleo-f446re")
    (found,) = attached_boards({"066E38": "nucleo-f446re"}, [both])
    assert (found.boards, found.probe_id) == (("nucleo-f446re",), "066E38")
    with pytest.raises(BoardError, match="unknown board"):
        attached_boards({"066E38": "nucleo"}, [both])


def test_a_name_for_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"--as 0701: .*found: 066E38"):
        attached_boards({"0701": "nucleo-f446re"}, [seen(NUCLEO, "nucleo-f401re")])


def test_what_is_no_board_or_has_no_serial_port_is_left_out() -> None:
    mouse = UsbDevice("046d:c077", "1-1.1", product="Mouse")
    adapter = UsbDevice("0403:6001", "1-1.3", "A5", "FT232R", ports=("/dev/ttyUSB0",))
    assert attached_boards({}, [seen(mouse, "nucleo-f401re"), seen(adapter)]) == []
    assert attached_boards({"A5": "nucleo-f401re"}, [seen(adapter)])[0].boards == ("nucleo-f401re",)
