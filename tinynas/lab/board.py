"""Boards: what building, fitting, flashing and timing need to know, one TOML file each."""

from __future__ import annotations

import enum
import json
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, ValidationError, model_validator

from tinynas.errors import BoardError
from tinynas.lab.hardware import Hardware
from tinynas.resources import resource


class Core(enum.StrEnum):
    """Processor cores; a core picks compiler flags and kernels."""

    M0 = "cortex-m0"
    M0PLUS = "cortex-m0plus"
    M3 = "cortex-m3"
    M4 = "cortex-m4"
    M7 = "cortex-m7"
    M33 = "cortex-m33"
    M55 = "cortex-m55"
    LX6 = "xtensa-lx6"
    LX7 = "xtensa-lx7"
    HOST = "host"

    @property
    def is_arm(self) -> bool:
        return self.value.startswith("cortex-")


class Holds(enum.StrEnum):
    """What an image keeps in a memory region."""

    CODE = "code"
    WEIGHTS = "weights"  # and the other constants of a model
    STATICS = "statics"  # .data and .bss of runner and engine
    ARENA = "arena"
    STACK = "stack"


class Region(BaseModel, frozen=True, extra="forbid"):
    """A stretch of memory of the board."""

    origin: int
    size_bytes: PositiveInt

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.origin + self.size_bytes


class Memory(Region, frozen=True, extra="forbid"):
    """A memory of the chip, as its documentation draws it."""

    name: str  # as the vendor calls it: SRAM1, DTCM, ...
    holds: tuple[Holds, ...] = ()  # nothing: the memory is there, no image of ours uses it
    reserved_start_bytes: int = Field(0, ge=0)  # kept free of the image at the start: a bootloader, a radio stack
    reserved_end_bytes: int = Field(0, ge=0)
    reserved_for: str = ""

    @property
    def usable(self) -> range:
        """Addresses left for an image."""
        return range(self.origin + self.reserved_start_bytes, self.end - self.reserved_end_bytes)


class Virtual(BaseModel, frozen=True, extra="forbid"):
    """How QEMU runs this board."""

    machine: str  # qemu-system-arm -M
    icount_shift: int  # one instruction takes 2**shift ns of guest time
    timer_hz: PositiveInt  # the timer that the port reads (firmware/ports/<port>/clock.c), as QEMU clocks it

    @property
    def ticks_per_instruction(self) -> Fraction:
        """Exact. At least 2, or exactly 1: then a count of ticks, off by less than one, rounds to the right count."""
        return Fraction(self.timer_hz << self.icount_shift, 1_000_000_000)


class Board(BaseModel, frozen=True, extra="forbid"):
    """One board (`boards/<name>.toml`). `flash` holds code, weights and constants; `sram` arena, statics and stack.

    `flash` and `sram` are what an image may use; `memory`, where given, is the whole map that they were taken from.
    """

    name: str
    title: str
    core: Core
    clock_hz: PositiveInt
    flash: Region
    sram: Region
    memory: tuple[Memory, ...] = ()
    vectors: int | None = None  # address of the vector table, where the core does not look for it at the start of flash
    stack_bytes: PositiveInt  # reserved for the stack inside sram
    port: str  # folder in firmware/ports
    framework: Literal["bare-metal", "arduino"] = "bare-metal"  # who starts the chip and drives its console
    framework_flash_bytes: int = 0  # what an Arduino core itself takes of flash, about
    port_options: dict[Annotated[str, Field(pattern="^TN_[A-Z0-9_]+$")], int] = {}  # macros that the port asks for
    single_precision: bool = False  # a Cortex-M7 whose FPU has no double precision
    active_power_mw: PositiveFloat | None = None  # of chip and memory while it computes, for estimates of energy
    kind: Literal["virtual", "hardware", "host"]
    virtual: Virtual | None = None
    hardware: Hardware | None = None
    source: str  # document the memory map was taken from
    note: str = ""

    @property
    def environment(self) -> str:
        """Its environment in firmware/platformio.ini."""
        return self.name.replace("-", "_")

    @model_validator(mode="after")
    def _within_memory(self) -> Board:
        """Flash and SRAM lie in memories that hold what goes there, outside the reserved parts."""
        code, data = {Holds.CODE, Holds.WEIGHTS}, {Holds.STATICS, Holds.ARENA, Holds.STACK}
        for key, region, holds in (("flash", self.flash, code), ("sram", self.sram, data)):
            parts = [memory.usable for memory in self.memory if holds & set(memory.holds)]
            if self.memory and not _covered(region, parts):
                raise ValueError(f"{key} is not inside the usable part of the [[memory]] that holds {_list(holds)}")
        return self

    def to_toml(self) -> str:
        """A file that `load` reads as this board."""
        fields = self.model_dump(mode="json", exclude_defaults=True)
        return "".join(f"{key} = {_toml(value)}\n" for key, value in fields.items())

    @classmethod
    def load(cls, path: Path) -> Board:
        try:
            return cls.model_validate(tomllib.loads(path.read_text()))
        except ValidationError as error:
            raise BoardError(f"{path}: {_first(error)}; mend the board file") from error
        except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise BoardError(f"{path}: {reason}; wanted a board file: tinynas boards new makes one") from error


def _toml(value: object) -> str:
    """Tables and arrays in one line; strings and numbers are written as in JSON."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _covered(region: Region, parts: list[range]) -> bool:
    """Whether `parts`, which may touch but not overlap, cover `region` without a hole."""
    at = region.origin
    for part in sorted(parts, key=lambda part: part.start):
        if part.start <= at < part.stop:
            at = part.stop
    return at >= region.end


def _list(holds: set[Holds]) -> str:
    return ", ".join(sorted(item.value for item in holds))


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if not key:
        return str(first["msg"])
    return f"{key}: {first['msg']} (found {first['input']!r})"


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
