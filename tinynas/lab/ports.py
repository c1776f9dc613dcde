"""Which serial port a real board is at: told by the user, or found by the board's USB identity."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tinynas.errors import BoardError
from tinynas.lab.board import Board
from tinynas.lab.detect import may_be
from tinynas.lab.locks import board_lock
from tinynas.lab.usb import UsbDevice, attached

_WAIT_S = 5.0  # for a process of ours that is about to end


def port_of(board: Board, devices: Sequence[UsbDevice] | None = None) -> str:
    """The serial port of the only attached device that can be `board`.

    Raises:
        BoardError: none, or several; they are named.
    """
    ids = board.hardware.usb if board.hardware else ()
    there = [device for device in (attached() if devices is None else devices) if device.ports]
    found = [device for device in there if device.usb in ids]
    if len(found) > 1:
        found = [device for device in found if may_be(device, board)]
    if len(found) == 1:
        return found[0].ports[0]
    if not found:
        raise BoardError(
            f"{board.name} is a real board, and none is attached: wanted a serial port of USB device {_names(ids)}, "
            f"found {_names([device.identity for device in there])}; plug it in, or give its port: --port /dev/ttyACM0"
        )
    places = _names([f"{device.ports[0]} ({device.identity})" for device in found])
    raise BoardError(
        f"{len(found)} devices can be {board.name}: {places}; choose one, as in: --port {found[0].ports[0]}"
    )


@contextmanager
def port_lock(port: str, purpose: str) -> Iterator[None]:
    """Keeps other processes of ours from the board at `port` while the block runs.

    Raises:
        BusyError: another has it.
    """
    with board_lock(os.path.realpath(port), purpose, wait_s=_WAIT_S):
        yield


def _names(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
