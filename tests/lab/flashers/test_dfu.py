"""dfu-util: the real one reads every option; there is no board in DFU mode."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.lab.flashers.elves import write_elf
from tests.lab.flashers.test_openocd import stand_in
from tinynas.errors import FlashError, ToolError
from tinynas.lab.board import load_board
from tinynas.lab.elf import Segment
from tinynas.lab.flashers.base import Target
from tinynas.lab.flashers.binary import binary_of
from tinynas.lab.flashers.dfu import DfuFlasher

PORTENTA = load_board("portenta-h7")
START = 0x08040000
DFU_UTIL = pytest.mark.skipif(shutil.which("dfu-util") is None, reason="needs dfu-util: apt-get install dfu-util")


@pytest.fixture
def elf(tmp_path: Path) -> Path:
    return write_elf(tmp_path / "firmware.elf", [Segment(START, b"abc"), Segment(START + 8, b"xyz")])


def program(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(folder, script, monkeypatch)
    (folder / "openocd").rename(folder / "dfu-util")


def test_gaps_read_as_erased_flash() -> None:
    assert binary_of([Segment(START + 8, b"xyz"), Segment(START, b"abc")], START) == b"abc" + b"\xff" * 5 + b"xyz"


@pytest.mark.parametrize("address", [START - 4, START + (1 << 28)])
def test_bytes_that_no_loader_can_write_are_refused(address: int) -> None:
    with pytest.raises(FlashError, match="linked for another board"):
        binary_of([Segment(address, b"abcd")], START)


@DFU_UTIL
def test_the_real_dfu_util_takes_every_option_and_finds_no_board(elf: Path) -> None:
    with pytest.raises(FlashError, match=r"portenta-h7: dfu-util could not flash it: No DFU capable USB device"):
        DfuFlasher().flash(elf, PORTENTA, Target(probe="123"))


def test_the_image_goes_to_the_board_s_address(elf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f'printf "%s\\n" "$@" > {tmp_path}/arguments; for last; do :; done; cp "$last" {tmp_path}/bin'
    program(tmp_path, script, monkeypatch)
    DfuFlasher().flash(elf, PORTENTA, Target(probe="0042"))
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert arguments[:6] == ["--device", "2341:035b", "--alt", "0", "--serial", "0042"]
    assert arguments[6:9] == ["--dfuse-address", "0x8040000:leave", "--download"]
    assert (tmp_path / "bin").read_bytes() == b"abc" + b"\xff" * 5 + b"xyz"


def test_a_board_that_left_before_it_was_asked_is_flashed(
    elf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(
        tmp_path, "echo File downloaded successfully; echo 'Error during download get_status' >&2; exit 74", monkeypatch
    )
    DfuFlasher().flash(elf, PORTENTA, Target())


def test_without_dfu_util_its_package_is_named(elf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="apt-get install dfu-util"):
        DfuFlasher().flash(elf, PORTENTA, Target())
