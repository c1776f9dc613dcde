"""This machine as a board: the runner as a native process behind a pty."""

from __future__ import annotations

import os
import subprocess
import tty
from pathlib import Path

from tinynas.errors import NoAnswerError
from tinynas.lab import child
from tinynas.lab.device import BOOT_LIMIT_S
from tinynas.lab.link import SerialLink
from tinynas.lab.rawlog import RawLog


class HostBoard:
    """Flashing is starting the image's process; the line is a new pty each time."""

    def __init__(self, log: RawLog) -> None:
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._link: SerialLink | None = None

    @property
    def link(self) -> SerialLink:
        if self._link is None:
            raise NoAnswerError("host: nothing runs yet; flash an image first")
        return self._link

    def program(self, elf: Path) -> None:
        self.close()
        runner_end, our_end = os.openpty()
        tty.setraw(our_end)  # before the runner speaks, or the terminal echoes its words back to it
        try:
            self._link = SerialLink(os.ttyname(our_end), self._log, self._crash)  # opening drops what was sent before
            self._process = child.start([str(elf)], runner_end, subprocess.DEVNULL)
        finally:
            os.close(runner_end)
            os.close(our_end)
        self._link.wait_boot(BOOT_LIMIT_S)

    def write_memory(self, address: int, data: bytes) -> bool:
        return False

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
        if self._process is not None:
            child.stop(self._process)
        self._link = self._process = None

    def _crash(self, wait_s: float) -> str | None:
        assert self._process is not None
        try:
            return f"the host runner ended with status {self._process.wait(wait_s)}"
        except subprocess.TimeoutExpired:
            return None
