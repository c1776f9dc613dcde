"""One answer of the runner, line by line (firmware/runner/PROTOCOL.md)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from tinynas.errors import GarbledError, ModelFaultError, RefusedError

BOOT_LINE = "m-init-done"
READY_LINE = "m-ready"
_LINE = re.compile(r"m-[ -~]*|e-\[[ -~]*\]")
_TAG_LINE = re.compile(r"m-tag-(\w+)-([0-9a-f]{8})")
_MODEL_FAULTS = ("invoke", "canary", "fault")


def is_protocol(line: str) -> bool:
    """Whether `line` can be the runner's."""
    return _LINE.fullmatch(line) is not None


def refusal(message: str, line: str) -> RefusedError:
    """The error for an `e-[code: detail]` line."""
    code = line.removeprefix("e-[").removesuffix("]").partition(":")[0].strip()
    return (ModelFaultError if code in _MODEL_FAULTS else RefusedError)(message, code)


@dataclass
class Answer:
    """What has come so far in answer to `text`, sent with `tag` (None: without, as to an older runner)."""

    text: str
    tag: str | None
    lines: list[str] = field(default_factory=list)
    _crc: int = field(init=False)
    _closed_by: str | None = None  # the tag that has come

    def __post_init__(self) -> None:
        self._start()

    @property
    def request(self) -> bytes:
        """What to send."""
        prefix = "" if self.tag is None else f"tag {self.tag} "
        return f"{prefix}{self.text}%".encode("ascii")

    @property
    def error(self) -> str | None:
        """The first `e-[...]` line."""
        return next((line for line in self.lines if line.startswith("e-")), None)

    def take(self, raw: bytes, garbled: Callable[[str], GarbledError]) -> bool:
        """Takes one line with its end; True when it ends the answer.

        A whole answer with another tag was meant for an earlier command, and is dropped. An error without a tag counts:
        the runner could not read the tag, or does not know of tags.

        Raises:
            GarbledError: made by `garbled`; the checksum does not fit, or the answer ends without its tag.
        """
        line = raw.rstrip(b"\r\n").decode("ascii", "backslashreplace")
        if line == READY_LINE:
            return self._end(garbled)
        if self.tag is not None and (tag_line := _TAG_LINE.fullmatch(line)):
            self._close(tag_line[1], int(tag_line[2], 16), garbled)
        elif line:
            self.lines.append(line)
        self._crc = zlib.crc32(raw, self._crc)
        return False

    def _start(self) -> None:
        self.lines, self._closed_by = [], None
        self._crc = zlib.crc32(self.text.encode("ascii"))

    def _close(self, tag: str, crc: int, garbled: Callable[[str], GarbledError]) -> None:
        self._closed_by = tag
        if tag == self.tag and crc != self._crc:
            raise garbled(f"garbled answer to {self.text!r}: its checksum is {self._crc:08x}, wanted {crc:08x}")

    def _end(self, garbled: Callable[[str], GarbledError]) -> bool:
        if self._closed_by is None and self.tag is not None and self.error is None:
            raise garbled(f"garbled answer to {self.text!r}: it ends without the tag {self.tag}: {self.lines[-3:]}")
        if self._closed_by not in (self.tag, None):
            self._start()
            return False
        return True
