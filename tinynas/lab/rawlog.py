"""The raw log of a serial line: every byte in both directions, with the time it was seen."""

from __future__ import annotations

import itertools
import os
import time
from io import FileIO
from pathlib import Path

from tinynas.errors import StoreError
from tinynas.resources import cache_dir

_count = itertools.count()


def default_log(board: str) -> Path:
    """A new log file in the cache: board, start, process and a running number make the name unique."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return cache_dir() / "logs" / f"{board}-{stamp}-{os.getpid()}-{next(_count)}.log"


class RawLog:
    """Appends `seconds direction bytes` lines to a file; `<` from the board, `>` to it, `#` remarks of ours.

    Bytes from the board are gathered up to the end of a line, under the time of the first.
    """

    def __init__(self, path: Path) -> None:
        self._start_s = time.monotonic()
        self._received, self._received_at_s = b"", 0.0
        self._open(path)

    def continue_in(self, path: Path) -> None:
        """What comes from now on goes to the file at `path`; times go on."""
        self.close()
        self._open(path)

    def received(self, data: bytes) -> None:
        if not self._received:
            self._received_at_s = self._now_s()
        self._received += data
        if data.endswith(b"\n"):
            self._flush()

    def sent(self, data: bytes) -> None:
        self._flush()
        self._write(self._now_s(), ">", repr(data)[1:])

    def remark(self, text: str) -> None:
        self._flush()
        self._write(self._now_s(), "#", text.encode("ascii", "backslashreplace").decode())

    def close(self) -> None:
        try:
            self._flush()
        finally:
            self._file.close()

    def _open(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: FileIO = path.open("ab", buffering=0)  # or closing would fail on what a full disk left over
        except OSError as error:
            raise StoreError(f"{path}: the serial log cannot be written: {error.strerror}") from error
        self.remark(time.strftime("opened %Y-%m-%d %H:%M:%S"))

    def _now_s(self) -> float:
        return time.monotonic() - self._start_s

    def _flush(self) -> None:
        if self._received:
            received, self._received = self._received, b""
            self._write(self._received_at_s, "<", repr(received)[1:])

    def _write(self, at_s: float, direction: str, text: str) -> None:
        line = f"{at_s:12.6f} {direction} {text}\n".encode("ascii")
        try:
            while line:  # the last bytes of a disk take part of it
                line = line[self._file.write(line) :]
        except OSError as error:
            raise StoreError(
                f"{self.path}: the serial log cannot be written: {error.strerror}; free some space and run again"
            ) from error
