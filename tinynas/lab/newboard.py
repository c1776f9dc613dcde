"""A board file from a few facts, or from PlatformIO's description of the board; always one that `Board.load` takes."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinynas.errors import BoardError
from tinynas.lab.board import Board, Core, load_board
from tinynas.lab.platformio_core import core_folder
from tinynas.resources import resource

ARDUINO_SRAM_BYTES = 32_768  # left to the Arduino core with its heap, where nothing better is known
_ARDUINO_FLASH_BYTES = 98_304  # that the Arduino core takes, where nothing better is known
_STACK_BYTES = 4_096
_BAUD = 115_200


@dataclass(frozen=True)
class Chip:
    """Where a family of chips has its memories: addresses of code and of the largest SRAM."""

    core: Core
    flash_origin: int
    sram_origin: int


_CHIPS: Mapping[str, Chip] = {  # beginning of PlatformIO's build.mcu; the longest that fits counts
    "stm32f0": Chip(Core.M0, 0x0800_0000, 0x2000_0000),
    "stm32g0": Chip(Core.M0PLUS, 0x0800_0000, 0x2000_0000),
    "stm32l0": Chip(Core.M0PLUS, 0x0800_0000, 0x2000_0000),
    "stm32f1": Chip(Core.M3, 0x0800_0000, 0x2000_0000),
    "stm32f2": Chip(Core.M3, 0x0800_0000, 0x2000_0000),
    "stm32l1": Chip(Core.M3, 0x0800_0000, 0x2000_0000),
    "stm32f3": Chip(Core.M4, 0x0800_0000, 0x2000_0000),
    "stm32f4": Chip(Core.M4, 0x0800_0000, 0x2000_0000),
    "stm32g4": Chip(Core.M4, 0x0800_0000, 0x2000_0000),
    "stm32l4": Chip(Core.M4, 0x0800_0000, 0x2000_0000),
    "stm32wb": Chip(Core.M4, 0x0800_0000, 0x2000_0000),
    "stm32f7": Chip(Core.M7, 0x0800_0000, 0x2000_0000),
    "stm32h7": Chip(Core.M7, 0x0800_0000, 0x2400_0000),
    "stm32h5": Chip(Core.M33, 0x0800_0000, 0x2000_0000),
    "stm32l5": Chip(Core.M33, 0x0800_0000, 0x2000_0000),
    "stm32u5": Chip(Core.M33, 0x0800_0000, 0x2000_0000),
    "nrf51": Chip(Core.M0, 0x0000_0000, 0x2000_0000),
    "nrf52": Chip(Core.M4, 0x0000_0000, 0x2000_0000),
    "nrf53": Chip(Core.M33, 0x0000_0000, 0x2000_0000),
    "rp2040": Chip(Core.M0PLUS, 0x1000_0000, 0x2000_0000),
    "rp2350": Chip(Core.M33, 0x1000_0000, 0x2000_0000),
    "samd21": Chip(Core.M0PLUS, 0x0000_0000, 0x2000_0000),
    "samd51": Chip(Core.M4, 0x0000_0000, 0x2000_0000),
    "imxrt1062": Chip(Core.M7, 0x6000_0000, 0x2020_0000),
    "esp32": Chip(Core.LX6, 0x0001_0000, 0x3FFB_0000),
    "esp32s3": Chip(Core.LX7, 0x0001_0000, 0x3FC8_8000),
}


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


def facts_of_platformio(described: Mapping[str, Any], board_id: str, source: str) -> dict[str, Any]:
    """What PlatformIO's description of the board tells, by the names of `Facts`; keys that it does not tell are absent.

    Raises:
        BoardError: not a board's description.
    """
    build, upload = described.get("build"), described.get("upload")
    if not isinstance(build, dict) or not isinstance(upload, dict):
        raise BoardError(
            f"{source}: wanted PlatformIO's description of a board (build, upload), found {list(described)}"
        )
    chip = _chip(str(build.get("mcu", "")))
    debug = described.get("debug", {})
    cpu = build.get("cpu") if build.get("cpu") in set(Core) else None
    told = {
        "name": board_id.replace("_", "-").lower(),
        "title": described.get("name"),
        "core": Core(cpu) if cpu else chip and chip.core,
        "clock_hz": int(str(build["f_cpu"]).rstrip("L")) if "f_cpu" in build else None,
        "flash_origin": chip and chip.flash_origin,
        "flash_bytes": upload.get("maximum_size"),
        "sram_origin": chip and chip.sram_origin,
        "sram_bytes": upload.get("maximum_ram_size"),
        "usb": tuple(f"{int(v, 16):04x}:{int(p, 16):04x}" for v, p in build.get("hwids", [])),
        "source": f"PlatformIO, {source}",
        "upload_protocol": upload.get("protocol"),
        "openocd": _openocd(debug),
        "pyocd": debug.get("pyocd_target"),
        "platformio": board_id,
    }
    return {key: value for key, value in told.items() if value is not None}


def find_platformio_board(wanted: str) -> Path:
    """The description of PlatformIO's board `wanted`, or the .json file at that path.

    Raises:
        BoardError: it is in no platform that is installed here.
    """
    if wanted.endswith(".json"):
        return Path(wanted)
    for folder in _platform_folders():
        for path in sorted(folder.glob(f"*/boards/{wanted}.json")):
            return path
    raise BoardError(
        f"PlatformIO's board {wanted!r} is in no platform installed here; install its platform, as in: "
        "pio pkg install --global --platform ststm32, or give the path of the board's .json"
    )


def platform_of(path: Path) -> str | None:
    """The installed platform that the board's description at `path` belongs to, as platformio.ini names it."""
    try:
        about = json.loads((path.parent.parent / ".piopm").read_text("utf-8"))
        spec = about["spec"]
        return (
            spec["uri"].removeprefix("git+") if spec["uri"] else f"{spec['owner']}/{about['name']}@{about['version']}"
        )
    except (OSError, ValueError, KeyError, TypeError):  # the description is somewhere else
        return None


def read_platformio_board(path: Path) -> dict[str, Any]:
    """The description in `path`.

    Raises:
        BoardError: missing, or not JSON.
    """
    try:
        described = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BoardError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise BoardError(f"{path}: not JSON: {error}") from error
    if not isinstance(described, dict):
        raise BoardError(f"{path}: wanted PlatformIO's description of a board, found {type(described).__name__}")
    return described


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


def _chip(mcu: str) -> Chip | None:
    fitting = [start for start in _CHIPS if mcu.lower().startswith(start)]
    return _CHIPS[max(fitting, key=len)] if fitting else None


def _openocd(debug: Mapping[str, Any]) -> tuple[str, ...] | None:
    if "openocd_board" in debug:
        return (f"board/{str(debug['openocd_board']).removesuffix('.cfg')}.cfg",)
    if "openocd_target" in debug and "stlink" in debug.get("onboard_tools", []):
        return ("interface/stlink.cfg", f"target/{str(debug['openocd_target']).removesuffix('.cfg')}.cfg")
    return None


def _platform_folders() -> list[Path]:
    chosen = os.environ.get("PLATFORMIO_CORE_DIR")
    ours = core_folder()
    roots = [Path(chosen)] if chosen else []
    roots += [Path.home() / ".platformio", *([ours] if ours else [])]
    return [*(root / "platforms" for root in roots), resource("firmware") / "platforms"]


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
