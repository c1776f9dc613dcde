"""ELF to UF2 (github.com/microsoft/uf2): 512-byte blocks, each with 256 bytes of flash and where they go."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tinynas.errors import FlashError
from tinynas.lab.board import Board, Holds, Region
from tinynas.lab.elf import Segment

PAGE_BYTES = 256
_MAGIC_START = (0x0A32_4655, 0x9E5D_5157)
_MAGIC_END = 0x0AB1_6F30
_FAMILY_PRESENT = 0x2000
_DATA_BYTES = 476
_ERASED = 0xFF


def uf2_of(segments: Sequence[Segment], board: Board, family_id: int) -> bytes:
    """The file that puts `segments` into `board`'s flash. What a page has beside them is erased.

    Raises:
        FlashError: nothing to write, a segment outside of flash, or two that write different bytes to one place.
    """
    _check(segments, board)
    pages = _pages(segments)
    if not pages:
        raise FlashError(f"{board.name}: the image has nothing to write; is it linked?")
    blocks = (_block(page, data, i, len(pages), family_id) for i, (page, data) in enumerate(sorted(pages.items())))
    return b"".join(blocks)


def _check(segments: Sequence[Segment], board: Board) -> None:
    chips: list[Region] = [memory for memory in board.memory if Holds.CODE in memory.holds]
    chips = chips or [board.flash]
    for segment in segments:
        end = segment.address + len(segment.data)
        if not any(chip.origin <= segment.address and end <= chip.end for chip in chips):
            found = f"{segment.address:#010x} to {end:#010x}"
            wanted = " or ".join(f"{chip.origin:#010x} to {chip.end:#010x}" for chip in chips)
            raise FlashError(f"{board.name}: the image has bytes at {found}, flash is {wanted}; another board's?")


def _pages(segments: Sequence[Segment]) -> dict[int, bytes]:
    """Address to content of every page that has a byte of the image."""
    pages: dict[int, list[int | None]] = {}
    for segment in segments:
        for address, byte in enumerate(segment.data, segment.address):
            page = pages.setdefault(address - address % PAGE_BYTES, [None] * PAGE_BYTES)
            if page[address % PAGE_BYTES] not in (None, byte):
                raise FlashError(f"the image writes two values to {address:#010x}; link it again")
            page[address % PAGE_BYTES] = byte
    return {at: bytes(_ERASED if byte is None else byte for byte in page) for at, page in pages.items()}


def _block(address: int, data: bytes, index: int, count: int, family_id: int) -> bytes:
    head = struct.pack("<8I", *_MAGIC_START, _FAMILY_PRESENT, address, PAGE_BYTES, index, count, family_id)
    return head + data.ljust(_DATA_BYTES, b"\0") + struct.pack("<I", _MAGIC_END)
