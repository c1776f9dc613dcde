"""An ELF image as one block of bytes, for loaders that know no addresses."""

from __future__ import annotations

from collections.abc import Sequence

from tinynas.errors import FlashError
from tinynas.lab.elf import Segment

_ERASED = b"\xff"
_LARGEST_BYTES = 64 << 20  # what lies further apart is not in one memory


def binary_of(segments: Sequence[Segment], origin: int) -> bytes:
    """The bytes from address `origin` on; gaps read as erased flash.

    Raises:
        FlashError: nothing to write, bytes below `origin`, or far apart.
    """
    if not segments:
        raise FlashError("the image has nothing to write; is it linked?")
    first, end = min(s.address for s in segments), max(s.address + len(s.data) for s in segments)
    if first < origin or end - origin > _LARGEST_BYTES:
        raise FlashError(
            f"the image has bytes from {first:#010x} to {end:#010x}, the loader writes from {origin:#010x} on; "
            "is it linked for another board?"
        )
    whole = bytearray(_ERASED * (end - origin))
    for segment in segments:
        whole[segment.address - origin : segment.address - origin + len(segment.data)] = segment.data
    return bytes(whole)
