"""What PlatformIO knows of a board: its description, found among the installed platforms, as facts for a board file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinynas.errors import BoardError
from tinynas.lab.board import Core
from tinynas.lab.platformio_core import core_folder
from tinynas.resources import resource


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


def facts_of_platformio(described: Mapping[str, Any], board_id: str, source: str) -> dict[str, Any]:
    """What PlatformIO's description of the board tells, by the names of `newboard.Facts`; no others.

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
