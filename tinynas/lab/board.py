"""Boards: what building, fitting, flashing and timing need to know, one TOML file each."""

from __future__ import annotations

import enum
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, PositiveInt, ValidationError

from tinynas.errors import BoardError
from tinynas.resources import resource


class Core(enum.StrEnum):
    """Processor cores; a core picks compiler flags and kernels."""

    M0 = "cortex-m0"
    M3 = "cortex-m3"
    M4 = "cortex-m4"
    M7 = "cortex-m7"
    M33 = "cortex-m33"
    M55 = "cortex-m55"
    HOST = "host"


class Region(BaseModel, frozen=True, extra="forbid"):
    """A stretch of memory of the board."""

    origin: int
    size_bytes: PositiveInt


class Virtual(BaseModel, frozen=True, extra="forbid"):
    """How QEMU runs this board."""

    machine: str  # qemu-system-arm -M
    icount_shift: int  # one instruction takes 2**shift ns of guest time
    timer_hz: PositiveInt  # the timer that the port reads (firmware/ports/<port>/clock.c), as QEMU clocks it

    @property
    def ticks_per_instruction(self) -> Fraction:
        """Exact. At least 2, or exactly 1: then a count of ticks, off by less than one, rounds to the right count."""
        return Fraction(self.timer_hz << self.icount_shift, 1_000_000_000)


class Hardware(BaseModel, frozen=True, extra="forbid"):
    """How a real board is attached, powered by USB, and flashed."""

    usb: tuple[Annotated[str, Field(pattern="^[0-9a-f]{4}:[0-9a-f]{4}$")], ...]  # vendor:product of the debug probe
    console: str  # the UART behind the probe's virtual COM port, and its pins
    baud: PositiveInt
    upload: Literal["openocd"]
    openocd: tuple[str, ...]  # OpenOCD's own configuration files for probe and target, in order
    platformio: str  # what PlatformIO calls the board


class Board(BaseModel, frozen=True, extra="forbid"):
    """One board (`boards/<name>.toml`). `flash` holds code, weights and constants; `sram` arena, statics and stack."""

    name: str
    title: str
    core: Core
    clock_hz: PositiveInt
    flash: Region
    sram: Region
    vectors: int | None = None  # address of the vector table, where the core does not look for it at the start of flash
    stack_bytes: PositiveInt  # reserved for the stack inside sram
    port: str  # folder in firmware/ports
    port_options: dict[Annotated[str, Field(pattern="^TN_[A-Z0-9_]+$")], int] = {}  # macros that the port asks for
    single_precision: bool = False  # a Cortex-M7 whose FPU has no double precision
    kind: Literal["virtual", "hardware", "host"]
    virtual: Virtual | None = None
    hardware: Hardware | None = None
    source: str  # document the memory map was taken from
    note: str = ""

    @classmethod
    def load(cls, path: Path) -> Board:
        try:
            return cls.model_validate(tomllib.loads(path.read_text()))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            found = f"{first['msg']} (found {first['input']!r})"
            raise BoardError(f"{path}: {key}: {found}; mend the board file") from error
        except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
            raise BoardError(f"{path}: {error}") from error


def known_boards(folder: Path | None = None) -> dict[str, Path]:
    """Name to TOML path of every board that ships (or of `folder`)."""
    return {path.stem: path for path in sorted((folder or resource("boards")).glob("*.toml"))}


def load_board(name: str) -> Board:
    """The board called `name`, or the one in the TOML file at that path.

    Raises:
        BoardError: unknown name (the known ones are listed) or malformed file.
    """
    if name.endswith(".toml"):
        return Board.load(Path(name))
    boards = known_boards()
    if name not in boards:
        raise BoardError(f"unknown board {name!r}; known: {', '.join(boards)} (or a path to a .toml)")
    return Board.load(boards[name])
