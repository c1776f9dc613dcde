"""A board file from a few facts; always one that `Board.load` takes."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tinynas.errors import BoardError
from tinynas.lab.board import Board, Core, load_board

ARDUINO_SRAM_BYTES = 32_768  # left to the Arduino core with its heap, where nothing better is known
_ARDUINO_FLASH_BYTES = 98_304  # that the Arduino core takes, where nothing better is known
_STACK_BYTES = 4_096
_BAUD = 115_200


@dataclass(frozen=True)
class Facts:
    """What a board file cannot do without, and what PlatformIO knows besides."""

    name: str
    title: str
    core: Core
    clock_hz: int
    flash_origin: int
    flash_bytes: int
    sram_origin: int
    sram_bytes: int  # all of it; see `reserved_bytes`
    usb: tuple[str, ...]  # vendor:product
    source: str  # where all this is from
    upload_protocol: str | None = None  # PlatformIO's
    openocd: tuple[str, ...] = ()
    pyocd: str | None = None
    platformio: str | None = None
    platform: str | None = None  # PlatformIO's, pinned: what builds for the board where it has an Arduino core
    like: str | None = None  # a known board with the same chip, whose port is used; none: the Arduino core
    reserved_bytes: int = ARDUINO_SRAM_BYTES  # at the end of SRAM, for the Arduino core


def board_file(facts: Facts) -> str:
    """The board file, checked by loading it.

    Raises:
        BoardError: the facts contradict each other, or those of the board it is `like`.
    """
    like = None if facts.like is None else load_board(facts.like)
    text = "\n".join(_lines(facts, like)) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{facts.name}.toml"
        path.write_text(text)
        try:
            board = Board.load(path)
        except BoardError as error:
            raise BoardError(str(error).replace(str(path), facts.name)) from error
    if like is not None and like.core is not board.core:
        raise BoardError(f"{facts.name} is a {board.core}, {like.name} a {like.core}; --like wants one with its chip")
    return text


def _lines(facts: Facts, like: Board | None) -> list[str]:
    sram_bytes = facts.sram_bytes if like else facts.sram_bytes - facts.reserved_bytes
    return [
        f"name = {_text(facts.name)}",
        f"title = {_text(facts.title)}",
        f'core = "{facts.core}"',
        f"clock_hz = {facts.clock_hz:_}",
        f"stack_bytes = {_STACK_BYTES:_}",
        *_port(like),
        'kind = "hardware"',
        f"source = {_text(facts.source)}",
        'note = "Made by tinynas boards new: check memory, console and flashers against the vendor\'s documentation."',
        "",
        *([] if like is None else _port_options(like)),
        *_table("flash", facts.flash_origin, facts.flash_bytes),
        *_table("sram", facts.sram_origin, sram_bytes),
        *_hardware(facts, like),
    ]


def _port(like: Board | None) -> list[str]:
    if like is None:
        return ['port = "arduino"', 'framework = "arduino"', f"framework_flash_bytes = {_ARDUINO_FLASH_BYTES:_}"]
    lines = [f"port = {_text(like.port)}", f"framework = {_text(like.framework)}"]
    return [*lines, *(["single_precision = true"] if like.single_precision else [])]


def _port_options(like: Board) -> list[str]:
    if not like.port_options:
        return []
    return ["[port_options]", *(f"{name} = {value}" for name, value in like.port_options.items()), ""]


def _table(name: str, origin: int, size_bytes: int) -> list[str]:
    return [f"[{name}]", f"origin = {origin:#010x}", f"size_bytes = {size_bytes}", ""]


def _hardware(facts: Facts, like: Board | None) -> list[str]:
    """By OpenOCD or pyOCD where the image is ours alone, by PlatformIO where it brings the Arduino core."""
    known = {
        "openocd": ["[hardware.openocd]", f"config = {json.dumps(list(facts.openocd))}", ""] if facts.openocd else [],
        "pyocd": ["[hardware.pyocd]", f"target = {_text(facts.pyocd)}", ""] if facts.pyocd else [],
        "platformio": _pio(facts) if facts.upload_protocol else [],
    }
    wanted = ("platformio",) if like is None else ("openocd", "pyocd")
    tables = {name: lines for name, lines in known.items() if lines and name in wanted}
    if not tables:
        how = "--upload-protocol" if like is None else "--openocd FILE or --pyocd TARGET"
        raise BoardError(f"{facts.name}: no flasher is known for it; give {how}")
    through = like.hardware.console_through if like and like.hardware else "usb"
    console = like.hardware.console if like and like.hardware else "USB"
    return [
        "[hardware]",
        f"usb = {json.dumps(list(facts.usb))}",
        f"console = {_text(console)}",
        f"console_through = {_text(through)}",
        f"baud = {_BAUD}",
        f"flashers = {json.dumps(list(tables))}",
        f"reset = {json.dumps(['button'] if like is None else ['probe', 'button'])}",
        *([f"platformio = {_text(facts.platformio)}"] if facts.platformio else []),
        "",
        *(line for lines in tables.values() for line in lines),
    ]


def _pio(facts: Facts) -> list[str]:
    platform = [f"platform = {_text(facts.platform)}"] if facts.platform else []
    return ["[hardware.pio]", f"protocol = {_text(facts.upload_protocol)}", *platform]


def _text(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)
