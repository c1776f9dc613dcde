"""The little of ELF that flashing and accounting need: load segments, sections, symbols (32-bit, little-endian)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinynas.errors import ToolError


@dataclass(frozen=True)
class Segment:
    """Bytes that flashing writes."""

    address: int
    data: bytes


@dataclass(frozen=True)
class Elf:
    """A linked image."""

    segments: tuple[Segment, ...]
    section_bytes: Mapping[str, int]


def read_elf(path: Path) -> Elf:
    """Reads the image at `path`.

    Raises:
        ToolError: not a 32-bit little-endian ELF file.
    """
    raw = path.read_bytes()
    if raw[:6] != b"\x7fELF\x01\x01":
        raise ToolError(f"{path}: wanted a 32-bit little-endian ELF image, found {raw[:6].hex()}")
    return Elf(_segments(raw), _sections(raw))


def _segments(raw: bytes) -> tuple[Segment, ...]:
    start, count = struct.unpack_from("<I", raw, 28)[0], struct.unpack_from("<H", raw, 44)[0]
    headers = (struct.unpack_from("<5I", raw, start + 32 * i) for i in range(count))
    return tuple(Segment(address, raw[at : at + size]) for kind, at, _, address, size in headers if kind == 1 and size)


def _sections(raw: bytes) -> dict[str, int]:
    start = struct.unpack_from("<I", raw, 32)[0]
    count, names_index = struct.unpack_from("<2H", raw, 48)
    if count == 0:  # stripped
        return {}
    headers = [struct.unpack_from("<6I", raw, start + 40 * i) for i in range(count)]
    names_at = headers[names_index][4]
    return {_text(raw, names_at + name): size for name, _, _, _, _, size in headers}


def _text(raw: bytes, at: int) -> str:
    return raw[at : raw.index(b"\0", at)].decode("ascii", "replace")
