"""OpenOCD's command lines: read by the real program as far as it comes without a board."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tinynas.errors import BoardError, FlashError, ToolError
from tinynas.lab.board import known_boards, load_board
from tinynas.lab.flashers.base import Target
from tinynas.lab.flashers.openocd import OpenOcdFlasher

ELF = Path("/tmp/firmware.elf")
OPENOCD = pytest.mark.skipif(shutil.which("openocd") is None, reason="needs openocd: apt-get install openocd")
BOARDS = [name for name in known_boards() if (found := load_board(name).hardware) and found.openocd]


def stand_in(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program called openocd that does what `script` says."""
    program = folder / "openocd"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_without_openocd_its_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="apt-get install openocd"):
        OpenOcdFlasher().flash(ELF, load_board("nrf52840-dk"), Target())


def test_a_board_without_its_table_is_refused() -> None:
    with pytest.raises(BoardError, match=r"raspberry-pi-pico: .* no \[hardware.openocd\]"):
        OpenOcdFlasher().flash(ELF, load_board("raspberry-pi-pico"), Target())


def test_what_openocd_complains_of_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "echo Open On-Chip Debugger >&2; echo 'Error: open failed' >&2; exit 1", monkeypatch)
    with pytest.raises(FlashError, match="nucleo-f746zg: OpenOCD could not flash it: open failed; is the board"):
        OpenOcdFlasher().flash(ELF, load_board("nucleo-f746zg"), Target())


def test_a_tool_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "exec sleep 60", monkeypatch)
    with pytest.raises(FlashError, match=r"not done within 0\.3 s"):
        OpenOcdFlasher().reset(load_board("nucleo-f746zg"), Target(limit_s=0.3))


def test_it_is_given_configuration_probe_and_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, f'printf "%s\\n" "$@" > {tmp_path}/arguments', monkeypatch)
    OpenOcdFlasher().flash(ELF, load_board("nucleo-u575zi-q"), Target(probe="0670FF"))
    assert (tmp_path / "arguments").read_text().splitlines() == [
        *("-f", "interface/stlink-dap.cfg", "-f", "target/stm32u5x.cfg", "-c", "adapter serial {0670FF}"),
        *("-c", "program {/tmp/firmware.elf} verify reset exit"),
    ]


@OPENOCD
@pytest.mark.parametrize("name", BOARDS)
def test_the_real_openocd_reads_all_but_finds_no_probe(name: str) -> None:
    """A wrong file or command name would be the error instead."""
    with pytest.raises(FlashError, match=r"(open failed|unable to find a matching CMSIS-DAP|No J-Link|not found)"):
        OpenOcdFlasher().reset(load_board(name), Target(probe="123456789"))
