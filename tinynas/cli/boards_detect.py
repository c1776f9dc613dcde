"""`tinynas boards detect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinynas.cli.options import JsonOption, print_json

if TYPE_CHECKING:
    from rich.table import Table

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
    from rich.console import Console

    Console().print(_table(found))


def _table(found: list[Detected]) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 1), caption="-e ENVIRONMENT in firmware/ is the board's name with underscores.")
    for header in ("USB", "serial number", "at", "port", "calls itself", "board"):
        table.add_column(header, overflow="fold")
    for each in found:
        device = each.device
        port = ", ".join(device.ports) or ", ".join(map(str, device.volumes))
        table.add_row(device.usb, device.serial or "none", device.location, port, device.product, _boards(each))
    return table


def _boards(each: Detected) -> str:
    if not each.boards:
        return "unknown; tinynas boards new makes a file"
    names = " or ".join(board.name for board in each.boards)
    return f"{names} ({'its bootloader, by' if each.in_bootloader else 'by'} {each.told_by})"
