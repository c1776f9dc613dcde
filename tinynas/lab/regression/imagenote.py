"""Remembers which image is on a board, so that it need not be flashed again."""

from __future__ import annotations

import os
import re

from tinynas.lab.board import load_board
from tinynas.lab.hwmap import BoardEntry
from tinynas.lab.locks import lock_folder, open_shared

_SHA256 = re.compile(rb"[0-9a-f]{64}")


class ImageNote:
    """The sha256 of the image that was flashed last: in a file beside the lock, for a board that stays.

    Whoever reads it must ask the board too: someone may have flashed it with another program. The lock must be held.
    """

    def __init__(self, entry: BoardEntry) -> None:
        stays = entry.serial is not None or entry.place is not None or load_board(entry.board).kind == "hardware"
        self._path = lock_folder() / f"{entry.id}.image" if stays else None
        self._held = b""

    def read(self) -> str | None:
        """The image's sha256; None if it is not known."""
        if self._path is not None:
            file = open_shared(self._path)
            self._held = os.pread(file, 100, 0)
            os.close(file)
        return self._held.decode() if _SHA256.fullmatch(self._held) else None

    def write(self, image_sha256: str) -> None:
        """The image is on the board, whole."""
        self._put(image_sha256.encode())

    def forget(self) -> None:
        """The board's image is in doubt."""
        self._put(b"")

    def closed(self) -> None:
        """The board was closed: a virtual one is gone."""
        self._held = b""

    def _put(self, content: bytes) -> None:
        self._held = content
        if self._path is not None:
            file = open_shared(self._path)
            os.ftruncate(file, 0)
            os.pwrite(file, content, 0)
            os.close(file)
