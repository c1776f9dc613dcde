"""ELF files of a few bytes, for chips that no compiler here builds for."""

from __future__ import annotations

import struct
from pathlib import Path

from tinynas.lab.elf import Segment

ARM, XTENSA = 40, 94
_HEADER, _PROGRAM, _SECTION = 52, 32, 40


def write_elf(path: Path, segments: list[Segment], machine: int = ARM) -> Path:
    """A linked image: a section and a program header for each segment, at that address."""
    names = b"\0.text\0.shstrtab\0"
    data_at = _HEADER + _PROGRAM * len(segments)
    starts = [data_at + sum(len(s.data) for s in segments[:i]) for i in range(len(segments))]
    names_at = data_at + sum(len(s.data) for s in segments)
    sections = [bytes(_SECTION)]
    programs = []
    for start, segment in zip(starts, segments, strict=True):
        size = len(segment.data)
        programs.append(struct.pack("<8I", 1, start, segment.address, segment.address, size, size, 5, 4))
        sections.append(struct.pack("<10I", 1, 1, 6, segment.address, start, size, 0, 0, 4, 0))
    sections.append(struct.pack("<10I", 7, 3, 0, 0, names_at, len(names), 0, 0, 1, 0))
    ident = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    entry, section_at = segments[0].address if segments else 0, names_at + len(names)
    sizes = (_HEADER, _PROGRAM, len(programs), _SECTION, len(sections), len(sections) - 1)
    header = ident + struct.pack("<2H5I6H", 2, machine, 1, entry, _HEADER, section_at, 0, *sizes)
    path.write_bytes(b"".join([header, *programs, *(s.data for s in segments), names, *sections]))
    return path
