"""Bootloaders that the application leaves the board to: asked for by opening its USB serial port at 1200 baud."""

from __future__ import annotations

import serial

from tinynas.errors import PortLostError
from tinynas.lab.board import Board
from tinynas.lab.flashers.base import Target

_TOUCH_BAUD = 1200


def enter_bootloader(board: Board, target: Target) -> bool:
    """Asks the board to run its bootloader; False if it knows no such way, or its port is not given.

    The port disappears with that. It takes seconds until the bootloader is there.

    Raises:
        PortLostError: the port cannot be opened.
    """
    if board.hardware is None or "touch1200" not in board.hardware.reset or target.port is None:
        return False
    try:
        with serial.Serial(target.port, _TOUCH_BAUD) as port:
            port.dtr = False
    except (serial.SerialException, OSError, ValueError) as error:
        raise PortLostError(f"{target.port}: cannot be opened: {error}; is the board attached?") from error
    return True
