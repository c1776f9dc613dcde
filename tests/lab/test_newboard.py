"""Board files made of PlatformIO's descriptions, in the form in which its platforms ship them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lab.described import ESP32, NUCLEO
from tests.lab.toy import toy
from tinynas.errors import BoardError
from tinynas.lab.board import Board, Core, load_board
from tinynas.lab.build import build_image
from tinynas.lab.newboard import Facts, board_file
from tinynas.lab.platformio_boards import facts_of_platformio


def made(folder: Path, described: dict[str, Any], **more: Any) -> Board:
    path = folder / "made.toml"
    path.write_text(board_file(Facts(**(facts_of_platformio(described, "my_board", "my_board.json") | more))))
    return Board.load(path)


def test_with_a_known_board_s_chip_it_is_that_board_but_for_the_name(tmp_path: Path) -> None:
    """What PlatformIO tells of the NUCLEO-F746ZG agrees with the file made from ST's documents."""
    known, board = load_board("nucleo-f746zg"), made(tmp_path, NUCLEO, like="nucleo-f746zg")
    same = ("core", "clock_hz", "flash", "sram", "port", "port_options", "framework", "single_precision", "kind")
    assert {key: getattr(board, key) for key in same} == {key: getattr(known, key) for key in same}
    assert board.hardware and known.hardware
    assert set(board.hardware.usb) <= set(known.hardware.usb)
    assert board.hardware.openocd == known.hardware.openocd
    assert board.hardware.console_through == "probe"
    assert board.name == "my-board" and board.environment == "my_board"


def test_it_can_be_built_for(tmp_path: Path) -> None:
    board = made(tmp_path, NUCLEO, like="nucleo-f746zg")
    assert build_image(toy(), board).flash_bytes > 1000


@pytest.mark.parametrize(("described", "core"), [(NUCLEO, Core.M7), (ESP32, Core.LX7)])
def test_without_one_it_takes_the_arduino_core_and_leaves_it_memory(
    tmp_path: Path, described: dict[str, Any], core: Core
) -> None:
    board = made(tmp_path, described, reserved_bytes=50_000)
    assert board.framework == "arduino" and board.core is core
    assert board.sram.size_bytes == 327_680 - 50_000
    assert board.hardware and board.hardware.flashers == ("platformio",)
    assert board.hardware.pio and board.hardware.pio.protocol == described["upload"]["protocol"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"like": "nucleo-f401re"}, "my-board is a cortex-m7, nucleo-f401re a cortex-m4"),
        ({"like": "nonesuch"}, "unknown board 'nonesuch'"),
        ({"clock_hz": 0}, "my-board: clock_hz"),
        ({"usb": ("no id",)}, "my-board: hardware.usb"),
        ({"upload_protocol": None}, "no flasher is known for it; give --upload-protocol"),
    ],
)
def test_facts_that_do_not_fit_are_refused(tmp_path: Path, more: dict[str, Any], message: str) -> None:
    with pytest.raises(BoardError, match=message):
        made(tmp_path, NUCLEO, **more)


def test_quotes_and_umlauts_stay_what_they_are(tmp_path: Path) -> None:
    assert made(tmp_path, NUCLEO, title='A "böard" \\ path').title == 'A "böard" \\ path'
