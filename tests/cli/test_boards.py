"""`tinynas boards detect` and `new`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tinynas
from tests.lab.described import NUCLEO
from tinynas.lab import usb
from tinynas.lab.board import Board, known_boards
from tinynas.lab.usb import UsbDevice

ANSWERS = (
    *("--name", "my-board", "--core", "cortex-m4", "--clock-hz", "84000000"),
    *("--flash-origin", "0x08000000", "--flash-bytes", "524288"),
    *("--sram-origin", "0x20000000", "--sram-bytes", "0x18000"),
)


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = [
        UsbDevice("0483:374b", "1-1.4", "066DFF", "STM32 STLink", ports=("/dev/ttyACM0",)),
        UsbDevice("2e8a:0003", "1-2", "E0C9125B0D9B", "RP2 Boot"),
        UsbDevice("1234:5678", "1-3", None, "Gadget", ports=("/dev/ttyUSB0",)),
    ]
    monkeypatch.setattr(usb, "attached", lambda: devices)


def test_detect_prints_candidates_and_environments(tinynas: Tinynas, plugged: None) -> None:
    found = json.loads(tinynas("boards", "detect", "--json").out)
    assert [each["serial"] for each in found] == ["066DFF", "E0C9125B0D9B", None]
    assert {"nucleo-f401re", "nucleo-f746zg"} <= set(found[0]["boards"])
    assert [board.replace("-", "_") for board in found[0]["boards"]] == found[0]["environments"]
    assert (found[1]["boards"], found[1]["in_bootloader"]) == (["raspberry-pi-pico"], True)
    assert found[2]["boards"] == []


def test_boards_are_a_line_each_on_a_narrow_terminal(tinynas: Tinynas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = tinynas("boards").out.splitlines()
    assert len(lines) == len(known_boards()) + 2
    assert all(len(line) <= 80 for line in lines)


def test_detect_in_words(tinynas: Tinynas, plugged: None) -> None:
    words = tinynas("boards", "detect").out
    assert all(word in words for word in ("066DFF", "1-1.4", "its bootloader", "unknown; tinynas boards new"))


def test_nothing_attached_is_said(tinynas: Tinynas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usb, "attached", lambda: [])
    assert "no board is attached" in tinynas("boards", "detect").out
    assert json.loads(tinynas("boards", "detect", "--json").out) == []


def test_new_from_platformio_s_description(tinynas: Tinynas, tmp_path: Path) -> None:
    described, out = tmp_path / "nucleo_f746zg.json", tmp_path / "out.toml"
    described.write_text(json.dumps(NUCLEO))
    result = tinynas("boards", "new", described, "--like", "nucleo-f746zg", "--name", "mine", "-o", out)
    assert result.status == 0, result.err
    assert Board.load(out).name == "mine"
    assert "Next: tinynas fit" in result.out
    again = tinynas("boards", "new", described, "-o", out)
    assert again.status == 2 and "is there already" in again.err


def test_new_from_answers(tinynas: Tinynas, tmp_path: Path) -> None:
    out = tmp_path / "my.toml"
    result = tinynas("boards", "new", *ANSWERS, "--like", "nucleo-f401re", "--openocd", "board/x.cfg", "-o", out)
    assert result.status == 0, result.err
    board = Board.load(out)
    assert (board.sram.size_bytes, board.flash.origin) == (0x18000, 0x08000000)
    assert board.hardware and board.hardware.openocd and board.hardware.openocd.config == ("board/x.cfg",)


def test_new_tells_which_answers_are_missing(tinynas: Tinynas, tmp_path: Path) -> None:
    result = tinynas("boards", "new", *ANSWERS[:4], "-o", tmp_path / "my.toml")
    assert result.status == 2
    assert "still needs: --clock-hz, --flash-origin, --flash-bytes, --sram-origin, --sram-bytes" in result.err


@pytest.mark.parametrize(("option", "value"), [("--sram-bytes", "many"), ("--core", "z80")])
def test_new_refuses_answers_that_are_none(tinynas: Tinynas, tmp_path: Path, option: str, value: str) -> None:
    result = tinynas("boards", "new", *ANSWERS, option, value, "-o", tmp_path / "my.toml")
    assert result.status == 2
    assert value in result.err
