"""A board that is attached by a serial port and flashed by OpenOCD, as far as its user can tell.

It is the host's runner behind a `Line`, and a program called `openocd` that starts it with another image.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.lines import Clean, HostRunner, Line, Tamper

_BOARD = """\
name = "double"
title = "a double: the host's runner"
core = "host"
clock_hz = 1_000_000_000
stack_bytes = 65_536
port = "host"
kind = "hardware"
source = "none"

[flash]
origin = 0
size_bytes = 1_073_741_824

[sram]
origin = 0
size_bytes = 1_073_741_824

[hardware]
usb = ["1209:0001"]
console = "none"
baud = 921_600
flashers = ["openocd"]

[hardware.openocd]
config = ["double.cfg"]
"""

_OPENOCD = """\
#!{python}
import socket, sys
elf = sys.argv[sys.argv.index("-c") + 1].split("{{")[1].split("}}")[0]
with socket.socket(socket.AF_UNIX) as double:
    double.connect({path!r})
    double.sendall(elf.encode() + b"\\n")
    sys.exit(double.recv(1) != b"k")
"""


class AttachedDouble:
    """`board_file` and `port` are what a user gives; the folder `bin` goes to the front of PATH."""

    def __init__(self, folder: Path, tamper: Tamper) -> None:
        self.board_file = folder / "double.toml"
        self.board_file.write_text(_BOARD)
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.line = Line(folder / "port", tamper)
        self.port = str(self.line.port)
        self.flashed = 0
        self._runner: HostRunner | None = None
        self._flasher = socket.socket(socket.AF_UNIX)
        self._flasher.bind(str(folder / "flasher"))
        self._flasher.listen()
        openocd = self.bin / "openocd"
        openocd.write_text(_OPENOCD.format(python=sys.executable, path=str(folder / "flasher")))
        openocd.chmod(0o755)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def path(self) -> str:
        """PATH for whoever flashes it."""
        return f"{self.bin}{os.pathsep}{os.environ['PATH']}"

    def restart(self, elf: Path) -> None:
        """Runs `elf` from now on."""
        if self._runner is not None:
            self.line.connect(-1)
            self._runner.stop()
        self._runner = HostRunner(elf)
        self.line.connect(self._runner.end)

    def close(self) -> None:
        self._flasher.shutdown(socket.SHUT_RDWR)
        self._flasher.close()
        self._thread.join(10)
        self.line.close()
        if self._runner is not None:
            self._runner.stop()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._flasher.accept()
            except OSError:  # closed
                return
            with connection, connection.makefile("r") as requests:
                self.restart(Path(requests.readline().strip()))
                self.flashed += 1
                connection.sendall(b"k")


@contextmanager
def attached_double(folder: Path, tamper: Tamper | None = None) -> Iterator[AttachedDouble]:
    """One double, whose files are in `folder`."""
    double = AttachedDouble(folder, tamper or Clean())
    try:
        yield double
    finally:
        double.close()
