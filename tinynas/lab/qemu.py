"""One QEMU process: a virtual machine with a debugger, a monitor and a serial line on a pty."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path

from tinynas.errors import LinkError, ToolError
from tinynas.lab import child
from tinynas.lab.board import Board, Core, Virtual
from tinynas.lab.device import BOOT_LIMIT_S
from tinynas.lab.elf import Segment
from tinynas.lab.flashers.remote_probe import remote_probe
from tinynas.lab.gdbstub import GdbStub
from tinynas.lab.link import SerialLink
from tinynas.lab.qmp import Qmp
from tinynas.lab.rawlog import RawLog

_START_LIMIT_S = 20.0
_HALT_LIMIT_S = 3.0
_POLL_S = 0.005
_VECTORS = 16  # without interrupts
_PTY = re.compile(rb"redirected to (\S+)")


class Machine:
    """One QEMU process, from start to crash or end.

    QEMU looks for the other side of its pty once, and again only after a second. So it is made to wait, once it has
    made the pty, for the debugger to connect, and the line is opened before that.
    """

    def __init__(self, virtual: Virtual, log: RawLog, options: tuple[str, ...]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tinynas-qemu-"))
        self._errors = self._folder / "stderr"
        self._log = log
        self._process, output = self._start(virtual, options)
        try:
            try:
                self.link = SerialLink(self._pty(output), log, self.crash)
            finally:
                os.close(output)
            self._gdb = GdbStub(self._connect("gdb"))
            self._qmp = Qmp(self._connect("qmp"))
        except LinkError as error:
            self._end()
            raise ToolError(f"QEMU did not start: {error}") from error
        except BaseException:
            self._end()
            raise

    def obeys(self) -> bool:
        """Halts the machine; False if it does not react: QEMU hangs when nobody takes what its UART sends."""
        try:
            self.link.discard()
            self._gdb.halt(_HALT_LIMIT_S)
        except LinkError:
            return False
        return True

    def program(self, segments: tuple[Segment, ...]) -> None:
        """Writes, reads back, resets, and waits for the runner. The machine must be halted."""
        for segment in segments:
            self._gdb.write(segment.address, segment.data)
            self._verify(segment)
        self.link.discard()
        self._qmp.execute("system_reset")
        self._log.remark(f"flashed and verified {sum(len(segment.data) for segment in segments)} B, reset")
        self._gdb.resume()
        self.link.wait_boot(BOOT_LIMIT_S)

    def write(self, address: int, data: bytes) -> None:
        self._gdb.halt()
        self._gdb.write(address, data)
        self._gdb.resume()
        self._log.remark(f"debugger wrote {len(data)} B at {address:#010x}")

    def idle(self, board: Board) -> None:
        """Overwrites what is in flash by a loop that does nothing, and restarts into it, halted.

        A tool lets the core run before it has written the image, and QEMU ends where a core without one locks up.
        """
        self._gdb.write(board.flash.origin if board.vectors is None else board.vectors, _idle(board))
        self._qmp.execute("system_reset")

    def probe(self, core: Core) -> AbstractContextManager[str]:
        return remote_probe(self._gdb, core, lambda: self._qmp.execute("system_reset"))

    def crash(self, wait_s: float = 0.0) -> str | None:
        """What QEMU said when it ended, or None while it runs and has not ended within `wait_s`."""
        try:
            status = self._process.wait(wait_s)
        except subprocess.TimeoutExpired:
            return None
        said = self._errors.read_text("utf-8", "replace").splitlines()
        reason = next((line for line in said if line and ": info:" not in line), "no message")
        return f"the virtual board crashed (QEMU ended with status {status}): {reason}"

    def close(self) -> None:
        self.link.close()
        self._gdb.close()
        self._qmp.close()
        self._end()

    def _start(self, virtual: Virtual, options: tuple[str, ...]) -> tuple[subprocess.Popen[bytes], int]:
        """The process, and where it prints the name of its pty (a terminal: into a pipe it would print it too late)."""
        command = [_qemu(), "-M", virtual.machine, "-S", "-display", "none", "-monitor", "none"]
        command += ["-icount", f"shift={virtual.icount_shift}"]
        command += ["-chardev", "pty,id=uart", "-serial", "chardev:uart"]
        command += ["-chardev", f"socket,id=gdb,path={self._folder}/gdb,server=on,wait=on", "-gdb", "chardev:gdb"]
        command += ["-qmp", f"unix:{self._folder}/qmp,server=on,wait=off", *options]
        self._log.remark(" ".join(command))
        our_end, its_end = os.openpty()
        try:
            with self._errors.open("wb") as errors:
                return child.start(command, subprocess.DEVNULL, errors, its_end), our_end
        finally:
            os.close(its_end)

    def _pty(self, output: int) -> str:
        """QEMU's own words: `char device redirected to /dev/pts/3 (label uart)`."""
        deadline_s = time.monotonic() + _START_LIMIT_S
        said = b""
        while (found := _PTY.search(said)) is None:
            self._refuse_end(deadline_s)
            if select.select([output], [], [], _POLL_S)[0]:
                with contextlib.suppress(OSError):  # it ended; the next round says so
                    said += os.read(output, 1000)
        return found[1].decode()

    def _connect(self, name: str) -> socket.socket:
        """A connection to QEMU's socket `name`, once QEMU listens there."""
        deadline_s = time.monotonic() + _START_LIMIT_S
        while True:
            connected = socket.socket(socket.AF_UNIX)
            try:
                connected.connect(str(self._folder / name))
                return connected
            except (FileNotFoundError, ConnectionRefusedError):  # not made yet, or made but not listening yet
                connected.close()
            self._refuse_end(deadline_s)
            time.sleep(_POLL_S)

    def _refuse_end(self, deadline_s: float) -> None:
        if crash := self.crash():
            raise ToolError(f"QEMU did not start: {crash}; the virtual boards need QEMU 7.2 or newer")
        if time.monotonic() > deadline_s:
            raise ToolError(f"QEMU did not start within {_START_LIMIT_S:g} s")

    def _verify(self, segment: Segment) -> None:
        # not through the gdbstub, which reads at 1 MB/s
        dump = self._folder / "dump"
        self._qmp.execute("memsave", val=segment.address, size=len(segment.data), filename=str(dump))
        found = dump.read_bytes()
        if found != segment.data:
            at = next(i for i, pair in enumerate(zip(found, segment.data, strict=True)) if pair[0] != pair[1])
            raise LinkError(f"flashing failed: {segment.address + at:#010x} does not read back what was written")

    def _end(self) -> None:
        child.stop(self._process)
        shutil.rmtree(self._folder, ignore_errors=True)


def _idle(board: Board) -> bytes:
    """A vector table whose every handler is the loop behind it: wfi, branch back."""
    start = board.flash.origin if board.vectors is None else board.vectors
    handler = start + 4 * _VECTORS | 1
    table = struct.pack(f"<{_VECTORS}I", board.sram.end, *[handler] * (_VECTORS - 1))
    return table + bytes.fromhex("30bf fde7")


def _qemu() -> str:
    path = shutil.which("qemu-system-arm")
    if path is None:
        raise ToolError(
            "qemu-system-arm is not installed; install it with: apt-get install qemu-system-arm "
            "(or: tinynas doctor --fix)"
        )
    return path
