"""From an entry of the hardware map to a board that is ours, and open."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tinynas.errors import FlashError, PortLostError
from tinynas.lab.board import load_board
from tinynas.lab.device import Flashing
from tinynas.lab.flashers.base import Target
from tinynas.lab.hwmap import BoardEntry
from tinynas.lab.link import SerialLink
from tinynas.lab.places import acquired, serial_url
from tinynas.lab.rawlog import RawLog
from tinynas.lab.reserve import use_board
from tinynas.lab.serial_port import BAUD
from tinynas.lab.session import BoardSession, open_board
from tinynas.lab.usb import attached


@contextmanager
def hold_entry(
    entry: BoardEntry,
    purpose: str = "",
    *,
    wait_s: float = 0.0,
    token: str | None = None,
    on_wait: Callable[[str], None] = lambda reason: None,
) -> Iterator[None]:
    """The board of `entry` is ours while the block runs: locked on this machine and, with a `place`, in labgrid.

    Raises:
        BusyError: another uses or has reserved it, and still after `wait_s`; says who.
    """
    with use_board(entry.id, purpose, wait_s=wait_s, token=token, on_wait=on_wait):
        if entry.place is None:
            yield
        else:
            with acquired(entry.place, wait_s=wait_s, on_wait=on_wait):
                yield


@contextmanager
def open_entry(entry: BoardEntry, log: Path) -> Iterator[BoardSession]:
    """A session with the board of `entry`, which must be held. The raw serial log goes to `log`.

    Raises:
        PortLostError: it is not attached.
        LinkError, ToolError: as `open_board` says.
    """
    port = find_port(entry)
    if entry.flash_command is not None:
        with _open_commanded(entry, entry.flash_command, port, log) as session:
            yield session
        return
    flashing = Flashing(entry.runner, Target(probe=entry.probe_id, limit_s=entry.flash_timeout))
    with open_board(load_board(entry.board), log=log, port=port, flashing=flashing) as session:
        yield session


def find_port(entry: BoardEntry) -> str | None:
    """The port of a board, by labgrid's place, its path or URL, or its USB identity: never by the order of plugging in.

    None for a virtual board, which has none until it is started.

    Raises:
        PortLostError: nothing like that is attached.
    """
    if entry.place is not None:
        return serial_url(entry.place)
    if entry.serial is None or "/" in entry.serial:
        return entry.serial
    devices = [device for device in attached() if device.ports]
    for device in devices:
        if entry.serial in {device.serial, device.identity}:
            return device.ports[0]
    there = ", ".join(device.identity for device in devices) or "none"
    raise PortLostError(f"{entry.id}: no USB serial port is {entry.serial!r} (attached: {there}); plug it in")


@contextmanager
def _open_commanded(entry: BoardEntry, command: str, port: str | None, log: Path) -> Iterator[BoardSession]:
    if port is None:
        raise PortLostError(f"{entry.id}: a board with a flash_command needs `serial` or `place` in the hardware map")
    raw_log = RawLog(log)
    try:
        device = CommandedDevice(entry, command, port, raw_log)
        try:
            yield BoardSession(load_board(entry.board), device, raw_log)
        finally:
            device.close()
    finally:
        raw_log.close()


class CommandedDevice:
    """A board that is flashed by a command of the user's, as on another machine: `ssh bench2 flash-it < {elf}`."""

    def __init__(self, entry: BoardEntry, command: str, port: str, log: RawLog) -> None:
        self._entry = entry
        self._command = command
        hardware = load_board(entry.board).hardware
        self.link = SerialLink(port, log, baud=hardware.baud if hardware else entry.baud or BAUD)

    def program(self, elf: Path) -> None:
        """Runs the command with {elf} replaced; the runner is found by asking, as its boot may be over by then."""
        words = [word.replace("{elf}", str(elf.resolve())) for word in shlex.split(self._command)]
        limit_s = self._entry.flash_timeout
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise FlashError(f"{self._entry.id}: `{shlex.join(words)}` does not end within {limit_s:g} s") from error
        except OSError as error:
            raise FlashError(f"{self._entry.id}: {words[0]}: {error.strerror}; mend `flash_command`") from error
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
            raise FlashError(f"{self._entry.id}: `{shlex.join(words)}` failed ({done.returncode}): {said}")
        self.link.discard()

    def write_memory(self, address: int, data: bytes) -> bool:
        return False

    def close(self) -> None:
        self.link.close()
