"""dfu-util: flashes through a USB DFU bootloader."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tinynas.errors import BoardError, FlashError
from tinynas.lab import usb
from tinynas.lab.board import Board
from tinynas.lab.elf import read_elf
from tinynas.lab.flashers.base import Target, described, first_line, program, run_tool
from tinynas.lab.flashers.binary import binary_of
from tinynas.lab.flashers.bootloader import enter_bootloader
from tinynas.lab.hardware import DfuUtil

_HINT = "is the board attached and its bootloader running (press reset twice), and may you open it (udev rules)?"
_DONE = "File downloaded successfully"
_APPEAR_S = 15.0
_POLL_S = 0.2
_find = first_line("No DFU capable", "Cannot open DFU", "rror", "ambiguous", "More than one")


class DfuFlasher:
    """Writes from the board file's address on, then leaves the bootloader."""

    def flash(self, image: Path, board: Board, target: Target) -> None:
        table = described(board, "dfu", DfuUtil)
        command = program("dfu-util", "dfu-util")
        content = binary_of(read_elf(image).segments, table.address)
        if enter_bootloader(board, target):
            _await(table, board)
        with tempfile.TemporaryDirectory(prefix="tinynas-dfu-") as folder:
            path = Path(folder) / "firmware.bin"
            path.write_bytes(content)
            chosen = ["--serial", target.probe] if target.probe else []
            where = ["--device", table.usb, "--alt", str(table.alt), *chosen]
            download = ["--dfuse-address", f"{table.address:#x}:leave", "--download", str(path)]
            words = [*command, *where, *download]
            run_tool(words, f"{board.name}: dfu-util could not flash it", target, _reason, _HINT)

    def reset(self, board: Board, target: Target) -> None:
        raise BoardError(f"{board.name}: its DFU bootloader cannot restart it; press the board's reset button")


def _reason(said: str) -> str:
    """dfu-util fails when the board has left before it could ask for its state: that is how leaving looks."""
    return "" if _DONE in said else _find(said).removeprefix("dfu-util: ")


def _await(table: DfuUtil, board: Board) -> None:
    deadline_s = time.monotonic() + _APPEAR_S
    while not any(device.usb == table.usb for device in usb.attached()):
        if time.monotonic() > deadline_s:
            raise FlashError(
                f"{board.name}: its bootloader ({table.usb}) does not come within {_APPEAR_S:g} s; press reset twice"
            )
        time.sleep(_POLL_S)
