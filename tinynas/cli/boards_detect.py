"""`tinynas boards detect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinynas.cli.options import JsonOption, print_json

if TYPE_CHECKING:
    from tinynas.lab.detect import Detected


def detect(as_json: JsonOption = False) -> None:
    """List attached boards by USB identity, and the board files and PlatformIO environments that fit.

    Several boards carry the same kind of probe: then all are named, unless the probe's drive or name tells which.
    """
    from tinynas.lab.detect import detect as attached_boards

    found = attached_boards()
    if as_json:
        print_json([each.as_json() for each in found])
        return
    if not found:
        print("no board is attached (no USB device with a serial port or a known board's ids)")
        return
    for each in found:
        print(_identity(each), f"  {_boards(each)}", sep="\n")
    print("PlatformIO's environment in firmware/ is the board's name with underscores for hyphens.")


def _identity(each: Detected) -> str:
    device = each.device
    known = [f"serial number {device.serial}" if device.serial else "no serial number", f"at {device.location}"]
    called = [f"calls itself {device.product}"] if device.product else []
    return f"{device.usb}  {', '.join([*known, *device.ports, *map(str, device.volumes), *called])}"


def _boards(each: Detected) -> str:
    if not each.boards:
        return "unknown; tinynas boards new makes a file"
    names = " or ".join(board.name for board in each.boards)
    return f"{names} ({'its bootloader, by' if each.in_bootloader else 'by'} {each.told_by})"
