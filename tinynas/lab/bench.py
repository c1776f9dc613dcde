"""From an entry of the hardware map to an open board."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinynas.errors import PortLostError
from tinynas.lab.board import load_board
from tinynas.lab.device import Flashing
from tinynas.lab.flashers.base import Target
from tinynas.lab.hwmap import BoardEntry
from tinynas.lab.session import BoardSession, open_board
from tinynas.lab.usb import attached


@contextmanager
def open_entry(entry: BoardEntry, log: Path) -> Iterator[BoardSession]:
    """A session with the board of `entry`; its lock must be held. The raw serial log goes to `log`.

    Raises:
        PortLostError: it is not attached.
        LinkError, ToolError: as `open_board` says.
    """
    port = None if entry.serial is None else find_port(entry.serial)
    flashing = Flashing(entry.runner, Target(probe=entry.probe_id, limit_s=entry.flash_timeout))
    with open_board(load_board(entry.board), log=log, port=port, flashing=flashing) as session:
        yield session


def find_port(serial: str) -> str:
    """The port of a board, by its path, its USB serial number or its USB identity: never by the order of plugging in.

    Raises:
        PortLostError: nothing like that is attached.
    """
    if "/" in serial:
        return serial
    devices = [device for device in attached() if device.ports]
    for device in devices:
        if serial in {device.serial, device.identity}:
            return device.ports[0]
    there = ", ".join(device.identity for device in devices) or "none"
    raise PortLostError(f"no USB device with a serial port is {serial!r} (attached: {there}); plug it in")
