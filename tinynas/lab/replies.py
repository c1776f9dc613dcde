"""What the runner's answers mean: lines in, records out."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import FirmwareError, GarbledError

RUNNER = "tinynas-runner "
Lines = Sequence[str]


@dataclass(frozen=True)
class Place:
    """An input or output tensor on the board."""

    address: int
    size_bytes: int


@dataclass(frozen=True)
class Hello:
    """What the runner says of itself."""

    version: str
    model: str
    sha256: str  # of the .tflite that the image was generated from
    ops: int
    extensions: tuple[str, ...]
    clock_hz: int | None = None  # of the core, as the firmware sets it up; an older runner does not tell


@dataclass(frozen=True)
class MemoryStats:
    """Memory after the last inference."""

    arena_bytes: int
    stack_bytes: int  # high-water mark of the inference
    stack_reserved_bytes: int
    canary: str  # "whole", or what was overrun
    celsius: float | None = None  # of the chip, where the port can tell


@dataclass(frozen=True)
class Laps:
    """The board's clock before and after some inferences, and what the first since the load gave."""

    start_us: int
    end_us: int
    results: tuple[float, ...]  # all outputs as real numbers, three decimals


def hello(lines: Lines) -> Hello:
    """Of `profile`.

    Raises:
        FirmwareError: another program answers, or a runner too old to be understood.
    """
    version = _bracketed(lines, "m-profile-")
    if not version.startswith(RUNNER):
        raise FirmwareError(f"wanted our runner, the board runs {version!r}; flash it first: tinynas flash")
    model, sha256 = _bracketed(lines, "m-model-"), _bracketed(lines, "m-sha256-")
    extensions = tuple(_bracketed(lines, "m-extensions-").split())
    clocks = numbers(lines, "m-clock-hz-")
    return Hello(version, model, sha256, number(lines, "m-ops-"), extensions, clocks[0] if clocks else None)


def places(lines: Lines, start: str) -> tuple[Place, ...]:
    """Of `io`: the lines that begin with `start`."""
    return tuple(_place(line) for line in lines if line.startswith(start))


def memory(lines: Lines) -> MemoryStats:
    """Of `stats`."""
    return MemoryStats(
        arena_bytes=number(lines, "m-arena-"),
        stack_bytes=number([line for line in lines if "reserved" not in line], "m-stack-"),
        stack_reserved_bytes=number(lines, "m-stack-reserved-"),
        canary=value(lines, "m-canary-"),
        celsius=_celsius(lines),
    )


def outputs(lines: Lines, sizes_bytes: Sequence[int]) -> list[NDArray[np.int8]]:
    """Of `out`: the bytes of outputs of `sizes_bytes`, flat, in model order."""
    digits = "".join(line.removeprefix("m-hex-") for line in lines if line.startswith("m-hex-"))
    wanted = value(lines, "m-crc-")
    try:
        data = bytes.fromhex(digits)
    except ValueError as error:
        raise GarbledError(f"outputs garbled on the line: {error}") from error
    found = f"{zlib.crc32(data):08x}"
    if len(data) != sum(sizes_bytes) or found != wanted:
        raise GarbledError(f"outputs garbled on the line: {len(data)} B with CRC {found}, wanted {wanted}")
    return np.split(np.frombuffer(data, np.int8), np.cumsum(sizes_bytes)[:-1])


def laps(lines: Lines) -> Laps:
    """Of `infer`."""
    found = numbers(lines, "m-lap-us-")
    if len(found) != 2:
        raise GarbledError(f"wanted two laps, the board sent {found}")
    return Laps(found[0], found[1], reals(_bracketed(lines, "m-results-")))


def reals(text: str) -> tuple[float, ...]:
    """Of what `results` says."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise GarbledError(f"garbled results: wanted numbers, found {text!r}") from error


def op_ticks(lines: Lines) -> list[tuple[int, int]]:
    """Of `ops`: index and ticks of each op."""
    return [_pair(line) for line in lines if line.startswith("m-op-")]


def number(lines: Lines, start: str) -> int:
    """The number on the line that begins with `start`."""
    return _integer(value(lines, start), start)


def numbers(lines: Lines, start: str) -> list[int]:
    """The numbers on all lines that begin with `start`."""
    return [_integer(line.removeprefix(start), start) for line in lines if line.startswith(start)]


def value(lines: Lines, start: str) -> str:
    """What stands on the line that begins with `start`."""
    for line in lines:
        if line.startswith(start):
            return line.removeprefix(start)
    raise FirmwareError(
        f"wanted a line {start}..., the board sent {list(lines)}; is its runner of another version than this program?"
    )


def _bracketed(lines: Lines, start: str) -> str:
    return value(lines, f"{start}[").removesuffix("]")


def _celsius(lines: Lines) -> float | None:
    told = [line.removeprefix("m-celsius-") for line in lines if line.startswith("m-celsius-")]
    return reals(told[0])[0] if told else None


def _integer(text: str, start: str, base: int = 10) -> int:
    try:
        return int(text, base)
    except ValueError as error:
        raise GarbledError(f"garbled line {start}{text}: wanted a number") from error


def _place(line: str) -> Place:
    _, address, size = (line.removesuffix("]") + ",,").split(",")[:3]
    return Place(_integer(address, line, 16), _integer(size, line))


def _pair(line: str) -> tuple[int, int]:
    index, _, ticks = line.removeprefix("m-op-").partition("-")
    return _integer(index, line), _integer(ticks, line)
