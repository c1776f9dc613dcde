"""From an entry of the hardware map to an open board."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serial.tools import list_ports

from tinynas.errors import PortLostError
from tinynas.lab.board import load_board
from tinynas.lab.hwmap import BoardEntry
from tinynas.lab.session import BoardSession, open_board


@contextmanager
def open_entry(entry: BoardEntry, log: Path) -> Iterator[BoardSession]:
    """A session with the board of `entry`; its lock must be held. The raw serial log goes to `log`.

    Raises:
        PortLostError: it is not attached.
        LinkError, ToolError: as `open_board` says.
    """
    port = None if entry.serial is None else find_port(entry.serial)
    with open_board(load_board(entry.board), log=log, port=port) as session:
        yield session


def find_port(serial: str) -> str:
    """The port of a board, by its path, URL or USB serial number: never by the order of plugging in.

    Raises:
        PortLostError: nothing with that serial number is attached.
    """
    if "/" in serial:
        return serial
    ports = sorted(list_ports.comports(), key=lambda port: str(port.device))
    for port in ports:
        if port.serial_number == serial:
            return str(port.device)
    there = ", ".join(f"{port.serial_number} ({port.device})" for port in ports if port.serial_number) or "none"
    raise PortLostError(f"no USB device with serial number {serial} is attached (found: {there}); plug it in")
