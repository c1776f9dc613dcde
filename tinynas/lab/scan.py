"""Which attached boards go into a hardware map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tinynas.errors import ConfigError
from tinynas.lab.board import Board, load_board
from tinynas.lab.detect import Detected, detect
from tinynas.lab.hwmap import Attached


def attached_boards(named: Mapping[str, str], found: Sequence[Detected] | None = None) -> list[Attached]:
    """Every attached device with a serial port that is a known board, or that the user says is one.

    `named` gives the board of a device by its USB serial number (or identity), where USB alone cannot tell: several
    boards may carry one kind of debug probe. `found` is what `detect` finds.

    Raises:
        ConfigError: a name in `named` is of no attached device.
        BoardError: it names an unknown board.
    """
    devices = [each for each in (detect() if found is None else found) if each.device.ports]
    unknown = set(named) - {name for each in devices for name in (each.device.serial, each.device.identity)}
    if unknown:
        there = ", ".join(_name(each) for each in devices) or "none"
        raise ConfigError(f"--as {', '.join(sorted(unknown))}: no such device is attached (found: {there})")
    return [each for device in devices if (each := _attached(device, named)) is not None]


def _attached(found: Detected, named: Mapping[str, str]) -> Attached | None:
    """None for a device that is no known board and was not named."""
    said = named.get(found.device.serial or "") or named.get(found.device.identity)
    boards = (load_board(said),) if said else found.boards
    if not boards:
        return None
    probe = found.device.serial if len(boards) == 1 and _has_probe(boards[0]) else None
    names = tuple(board.name for board in boards)
    return Attached(names, _name(found), found.device.product, probe)


def _has_probe(board: Board) -> bool:
    return board.hardware is not None and board.hardware.console_through == "probe"


def _name(found: Detected) -> str:
    return found.device.serial or found.device.identity
