"""Board files made of PlatformIO's descriptions, in the form in which its platforms ship them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab.toy import toy
from tinynas.errors import BoardError
from tinynas.lab.board import Board, Core, load_board
from tinynas.lab.build import build_image
from tinynas.lab.newboard import (
    Facts,
    board_file,
    facts_of_platformio,
    find_platformio_board,
    platform_of,
    read_platformio_board,
)

NUCLEO: dict[str, Any] = {
    "build": {"cpu": "cortex-m7", "f_cpu": "216000000L", "mcu": "stm32f746zgt6", "hwids": [["0x0483", "0x374B"]]},
    "debug": {"onboard_tools": ["stlink"], "openocd_board": "st_nucleo_f7", "openocd_target": "stm32f7x"},
    "frameworks": ["arduino"],
    "name": "ST Nucleo F746ZG",
    "upload": {"maximum_ram_size": 327680, "maximum_size": 1048576, "protocol": "stlink"},
}
ESP32: dict[str, Any] = {
    "build": {"f_cpu": "240000000L", "mcu": "esp32s3", "hwids": [["0x303A", "0x1001"]]},
    "frameworks": ["arduino"],
    "name": "Some ESP32-S3",
    "upload": {"maximum_ram_size": 327680, "maximum_size": 8388608, "protocol": "esptool"},
}


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


def test_a_chip_that_is_not_known_leaves_the_addresses_open() -> None:
    facts = facts_of_platformio(NUCLEO | {"build": {"mcu": "z80", "f_cpu": "4000000L"}}, "zx", "zx.json")
    assert not {"core", "flash_origin", "sram_origin"} & facts.keys()
    assert facts["clock_hz"] == 4_000_000


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


def test_a_platform_that_is_installed_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "platforms" / "ststm32" / "boards" / "nucleo_f746zg.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(NUCLEO))
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path))
    assert find_platformio_board("nucleo_f746zg") == path
    assert read_platformio_board(path) == NUCLEO
    assert platform_of(path) is None
    about = {"name": "ststm32", "version": "19.6.0", "spec": {"owner": "platformio", "uri": None}}
    (path.parents[1] / ".piopm").write_text(json.dumps(about))
    assert platform_of(path) == "platformio/ststm32@19.6.0"
    about["spec"] = {"owner": None, "uri": "git+https://example.org/platform.git#1234"}
    (path.parents[1] / ".piopm").write_text(json.dumps(about))
    assert platform_of(path) == "https://example.org/platform.git#1234"
    with pytest.raises(BoardError, match="no platform installed here; install its platform"):
        find_platformio_board("nucleo_f999")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"build": 1}'])
def test_a_file_that_describes_no_board_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(BoardError, match=r"x\.json: (wanted PlatformIO's|not JSON)"):
        facts_of_platformio(read_platformio_board(path), "x", "x.json")
