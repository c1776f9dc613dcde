"""esptool: flashes ESP32s through the loader in their ROM, over the serial port."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tinynas.errors import BoardError
from tinynas.lab.board import Board
from tinynas.lab.flashers.base import Target, described, first_line, module, run_tool
from tinynas.lab.hardware import EspTool

_BAUD = "460800"  # the loader's; the image talks at its own
_HINT = "is this the board's port, and no other program on it? Hold its BOOT button while flashing starts"
_FATAL = "A fatal error occurred: "
_find = first_line(_FATAL, "Error:", "Invalid value")


class EspToolFlasher:
    """The application is made of the ELF file; bootloader and partition table are written if they lie beside it.

    esptool checks what was written by its MD5.
    """

    def flash(self, image: Path, board: Board, target: Target) -> None:
        table = described(board, "esptool", EspTool)
        with tempfile.TemporaryDirectory(prefix="tinynas-esptool-") as folder:
            app = Path(folder) / "app.bin"
            make = [*_esptool(table), "elf2image", *_flash_options(table), "--output", app, image]
            run_tool(make, f"{board.name}: esptool could not read {image}", target, _reason, "is it this chip's?")
            write = [*_esptool(table), *_port(board, target), "--after", "hard-reset", "write-flash"]
            parts = [*_beside(image, table), (table.app, app)]
            words = [word for offset, path in parts for word in (f"{offset:#x}", path)]
            command = [*write, *_flash_options(table), "--flash-size", "detect", *words]
            run_tool(command, f"{board.name}: esptool could not flash it", target, _reason, _HINT)

    def reset(self, board: Board, target: Target) -> None:
        table = described(board, "esptool", EspTool)
        command = [*_esptool(table), *_port(board, target), "--after", "hard-reset", "chip-id"]
        run_tool(command, f"{board.name}: esptool could not restart it", target, _reason, _HINT)


def _esptool(table: EspTool) -> list[str | Path]:
    return [*module("esptool", "lab"), "--chip", table.chip]


def _port(board: Board, target: Target) -> list[str]:
    if target.port is not None:
        return ["--port", target.port, "--baud", _BAUD]
    if target.probe is not None:
        return ["--port-filter", f"serial={target.probe}", "--baud", _BAUD]
    raise BoardError(f"{board.name}: esptool needs its serial port, as in: --port /dev/ttyUSB0 (tinynas boards detect)")


def _flash_options(table: EspTool) -> list[str]:
    return ["--flash-mode", table.flash_mode, "--flash-freq", table.flash_freq]


def _beside(image: Path, table: EspTool) -> list[tuple[int, Path]]:
    """What PlatformIO leaves in the image's folder."""
    known = ((table.bootloader, "bootloader.bin"), (table.partitions, "partitions.bin"))
    return [(offset, image.with_name(name)) for offset, name in known if image.with_name(name).is_file()]


def _reason(said: str) -> str:
    return _find(said).rpartition(_FATAL)[2]
