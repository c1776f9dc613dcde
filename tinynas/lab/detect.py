"""Which boards are attached: told by USB identity, and where several share one, by what their drive or name says."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tinynas.lab import usb
from tinynas.lab.board import Board, known_boards
from tinynas.lab.usb import UsbDevice

_DAPLINK = "0d28:0204"  # its serial number begins with the board's mbed id
_MBED_CODE = re.compile(r"\bcode=([0-9A-Fa-f]{4})")  # in MBED.HTM
_UNIQUE_ID = re.compile(r"^Unique ID:\s*([0-9A-Fa-f]{4})", re.MULTILINE)  # in DETAILS.TXT
_UF2_BOARD = re.compile(r"^Board-ID:\s*(\S.*?)\s*$", re.MULTILINE)  # in INFO_UF2.TXT


@dataclass(frozen=True)
class Detected:
    """One attached device, and the boards that it can be."""

    device: UsbDevice
    boards: tuple[Board, ...]  # all that fit; one where it is certain, none where nothing known fits
    in_bootloader: bool  # waits for an image, instead of running one
    told_by: str  # what decided: USB ids, mbed id, UF2 board id, product name

    def as_json(self) -> dict[str, Any]:
        device = asdict(self.device) | {"volumes": [str(folder) for folder in self.device.volumes]}
        environments = [board.environment for board in self.boards]
        names = [board.name for board in self.boards]
        return device | {
            "boards": names,
            "environments": environments,
            "in_bootloader": self.in_bootloader,
            "told_by": self.told_by,
        }


def detect(devices: Sequence[UsbDevice] | None = None, boards: Sequence[Board] | None = None) -> list[Detected]:
    """Devices that are a known board, or have a serial port and so may be an unknown one; by their place."""
    known = _hardware_boards() if boards is None else boards
    found = [identify(device, known) for device in (usb.attached() if devices is None else devices)]
    return [each for each in found if each.boards or each.device.ports]


def identify(device: UsbDevice, boards: Sequence[Board]) -> Detected:
    """`device` among `boards`: those with its USB ids, fewer if its drive, serial number or name tells more."""
    fitting = tuple(board for board in boards if device.usb in _ids(board))
    in_bootloader = not any(board.hardware and device.usb in board.hardware.usb for board in fitting)
    in_bootloader = bool(fitting) and (in_bootloader or _uf2_board(device) is not None)
    told_by = "USB ids" if fitting else ""
    for words, keeps in _evidence(device):
        narrowed = tuple(board for board in fitting if keeps(board))
        if narrowed:
            fitting, told_by = narrowed, words
    return Detected(device, fitting, in_bootloader, told_by)


def may_be(device: UsbDevice, board: Board) -> bool:
    """False if the device's drive, serial number or name says that it is another of the known boards."""
    others = [other for other in _hardware_boards() if other.name != board.name]
    return board in identify(device, [*others, board]).boards


def _hardware_boards() -> list[Board]:
    boards = [Board.load(path) for path in known_boards().values()]
    return [board for board in boards if board.hardware is not None]


def _ids(board: Board) -> tuple[str, ...]:
    return (*board.hardware.usb, *board.hardware.usb_bootloader) if board.hardware else ()


def _evidence(device: UsbDevice) -> list[tuple[str, Callable[[Board], bool]]]:
    """What more there is to go by, weakest first."""
    mbed_id, uf2_board, product = _mbed_id(device), _uf2_board(device), _letters(device.product)
    found: list[tuple[str, Callable[[Board], bool]]] = []
    if len(product) > 3:
        found.append(("product name", lambda board: _is_called(board, product)))
    if mbed_id is not None:
        found.append(("mbed id", lambda board: board.hardware is not None and board.hardware.mbed_id == mbed_id))
    if uf2_board is not None:
        found.append(("UF2 board id", lambda board: _has_uf2(board, uf2_board)))
    return found


def _is_called(board: Board, product: str) -> bool:
    return product in _letters(board.name) or _letters(board.name) in product


def _has_uf2(board: Board, board_id: str) -> bool:
    return board.hardware is not None and board.hardware.uf2 is not None and board_id in board.hardware.uf2.board_ids


def _mbed_id(device: UsbDevice) -> str | None:
    for name, pattern in (("MBED.HTM", _MBED_CODE), ("DETAILS.TXT", _UNIQUE_ID)):
        if (found := _in_drive(device, name, pattern)) is not None:
            return found.lower()
    return device.serial[:4].lower() if device.usb == _DAPLINK and device.serial else None


def _uf2_board(device: UsbDevice) -> str | None:
    return _in_drive(device, "INFO_UF2.TXT", _UF2_BOARD)


def _in_drive(device: UsbDevice, name: str, pattern: re.Pattern[str]) -> str | None:
    for volume in device.volumes:
        with contextlib.suppress(OSError):
            if found := pattern.search((volume / name).read_text("ascii", "replace").replace("\r", "")):
                return found[1]
    return None


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
