"""UF2: flashes by copying a file to the drive that the board's bootloader shows."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from tinynas.errors import BoardError, FlashError
from tinynas.lab import usb
from tinynas.lab.board import Board
from tinynas.lab.elf import read_elf
from tinynas.lab.flashers.base import Target, described
from tinynas.lab.flashers.bootloader import enter_bootloader
from tinynas.lab.flashers.uf2_file import uf2_of
from tinynas.lab.hardware import Uf2

_INFO = "INFO_UF2.TXT"
_APPEAR_S = 15.0
_REBOOT_S = 15.0
_POLL_S = 0.1


class Uf2Flasher:
    """The bootloader restarts the board, and takes its drive away, when it has the whole file."""

    def flash(self, image: Path, board: Board, target: Target) -> None:
        table = described(board, "uf2", Uf2)
        content = uf2_of(read_elf(image).segments, board, table.family_id)
        volume = _volume(board, table, target)
        _copy(content, volume, board)
        _await_reboot(volume, board)

    def reset(self, board: Board, target: Target) -> None:
        raise BoardError(f"{board.name}: its UF2 bootloader cannot restart it; press the board's reset button")


def _volume(board: Board, table: Uf2, target: Target) -> Path:
    if target.volume is not None:
        _check(target.volume, table, board)
        return target.volume
    found = _mounted(table, target)
    if not found and enter_bootloader(board, target):
        deadline_s = time.monotonic() + _APPEAR_S
        while not (found := _mounted(table, target)) and time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
    if len(found) != 1:
        raise _not_one(found, board, table)
    return found[0]


def _not_one(found: list[Path], board: Board, table: Uf2) -> FlashError:
    if found:
        places = ", ".join(map(str, found))
        return FlashError(f"{board.name}: {len(found)} drives of its kind are mounted: {places}; attach one at a time")
    return FlashError(
        f"{board.name}: no drive {table.volume} is mounted; hold the board's BOOTSEL button (or press reset twice) "
        "while you plug it in, and mount the drive where the system does not do it by itself"
    )


def _mounted(table: Uf2, target: Target) -> list[Path]:
    """Drives of such a board; of those, the one whose USB serial number is asked for."""
    drives = [(device, volume) for device in usb.attached() for volume in device.volumes]
    drives = [(device, volume) for device, volume in drives if _board_id(volume) in table.board_ids]
    return [volume for device, volume in drives if target.probe is None or device.serial == target.probe]


def _check(volume: Path, table: Uf2, board: Board) -> None:
    found = _board_id(volume)
    if found is None:
        raise FlashError(f"{volume}: no {_INFO} there, so it is no UF2 bootloader's drive; wanted {table.volume}")
    if found not in table.board_ids:
        wanted = " or ".join(table.board_ids)
        raise FlashError(f"{volume}: is the drive of a {found}, {board.name} wants {wanted}; is it another board?")


def _board_id(volume: Path) -> str | None:
    """What the bootloader says in INFO_UF2.TXT; None if there is no such file."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in (volume / _INFO).read_text("ascii").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "Board-ID":
                return value.strip()
    return None


def _copy(content: bytes, volume: Path, board: Board) -> None:
    written = 0
    try:
        with (volume / "tinynas.uf2").open("wb", buffering=0) as file:
            written = file.write(content)
            os.fsync(file.fileno())
    except OSError as error:
        if written < len(content) and (volume / _INFO).exists():
            raise FlashError(f"{board.name}: {volume}: cannot be written: {error.strerror}") from error
        # else the drive went away as it should: the last bytes were there before the call ended


def _await_reboot(volume: Path, board: Board) -> None:
    deadline_s = time.monotonic() + _REBOOT_S
    while (volume / _INFO).exists():
        if time.monotonic() > deadline_s:
            raise FlashError(
                f"{board.name}: its bootloader has the file, but does not restart the board within {_REBOOT_S:g} s: "
                "it takes no image of this kind; is it another board?"
            )
        time.sleep(_POLL_S)
