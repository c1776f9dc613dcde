"""`tinynas boards new`."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from tinynas.errors import BoardError

_QUESTIONS = {  # fact -> its option, and what is asked
    "name": ("--name", "Name, as in my-board"),
    "core": ("--core", "Core, as in cortex-m4"),
    "clock_hz": ("--clock-hz", "Clock, Hz"),
    "flash_origin": ("--flash-origin", "Address of flash, as in 0x08000000"),
    "flash_bytes": ("--flash-bytes", "Bytes of flash"),
    "sram_origin": ("--sram-origin", "Address of SRAM, as in 0x20000000"),
    "sram_bytes": ("--sram-bytes", "Bytes of SRAM"),
}
_NUMBERS = ("clock_hz", "flash_origin", "flash_bytes", "sram_origin", "sram_bytes", "reserved_bytes")


def new(
    platformio: Annotated[
        str | None, typer.Argument(help="PlatformIO's board id, or its board .json.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Default: NAME.toml here.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the board.", show_default=False)] = None,
    title: Annotated[str | None, typer.Option(help="What it is.", show_default=False)] = None,
    core: Annotated[str | None, typer.Option(help="As in cortex-m4.", show_default=False)] = None,
    clock_hz: Annotated[str | None, typer.Option(help="Of the core.", show_default=False)] = None,
    flash_origin: Annotated[str | None, typer.Option(help="Address.", show_default=False)] = None,
    flash_bytes: Annotated[str | None, typer.Option(show_default=False)] = None,
    sram_origin: Annotated[str | None, typer.Option(help="Address.", show_default=False)] = None,
    sram_bytes: Annotated[str | None, typer.Option(show_default=False)] = None,
    usb: Annotated[list[str] | None, typer.Option(help="vendor:product of its serial port.")] = None,
    upload_protocol: Annotated[str | None, typer.Option(help="PlatformIO's.", show_default=False)] = None,
    openocd: Annotated[list[str] | None, typer.Option(help="OpenOCD's files, in order.")] = None,
    pyocd: Annotated[str | None, typer.Option(help="pyOCD's target.", show_default=False)] = None,
    like: Annotated[
        str | None, typer.Option(help="A known board with the same chip: no Arduino core then.", show_default=False)
    ] = None,
    reserved_bytes: Annotated[
        str | None, typer.Option(help="SRAM left to the Arduino core.", show_default=False)
    ] = None,
) -> None:
    """Make a board file from PlatformIO's description of a board, or from answers; options go before both.

    What is missing is asked for at a terminal, else it is an error that names the options.
    """
    given: dict[str, Any] = {
        **{"name": name, "title": title, "core": core, "clock_hz": clock_hz, "flash_origin": flash_origin},
        **{"flash_bytes": flash_bytes, "sram_origin": sram_origin, "sram_bytes": sram_bytes, "like": like},
        **{"usb": tuple(usb or ()), "openocd": tuple(openocd or ()), "pyocd": pyocd},
        **{"upload_protocol": upload_protocol, "reserved_bytes": reserved_bytes},
    }
    _write(_facts({key: value for key, value in given.items() if value}, platformio), out)


def _facts(given: dict[str, Any], platformio: str | None) -> dict[str, Any]:
    from tinynas.lab.platformio_boards import (
        facts_of_platformio,
        find_platformio_board,
        platform_of,
        read_platformio_board,
    )

    told: dict[str, Any] = {}
    if platformio is not None:
        path = find_platformio_board(platformio)
        told = facts_of_platformio(read_platformio_board(path), path.stem, path.name) | {"platform": platform_of(path)}
    facts = told | given
    missing = [key for key in _QUESTIONS if key not in facts]
    if missing and not sys.stdin.isatty():
        options = ", ".join(_QUESTIONS[key][0] for key in missing)
        raise BoardError(f"the board file still needs: {options}; give them, or PlatformIO's name of the board")
    answers = {key: typer.prompt(_QUESTIONS[key][1], err=True) for key in missing}
    return {"title": (facts | answers)["name"], "usb": (), "source": "its owner"} | facts | answers


def _write(facts: dict[str, Any], out: Path | None) -> None:
    from tinynas.lab.board import Board
    from tinynas.lab.newboard import Facts, board_file

    known = {field.name for field in dataclasses.fields(Facts)}
    values: dict[str, Any] = {key: value for key, value in facts.items() if key in known}
    values |= {key: _number(key, values[key]) for key in _NUMBERS if key in values}
    values["core"] = _core(str(values["core"]))
    text = board_file(Facts(**values))
    path = out or Path(f"{values['name']}.toml")
    if path.exists():
        raise BoardError(f"{path}: is there already; give another file: -o FILE")
    path.write_text(text)
    board = Board.load(path)
    print(f"{path}: {board.title}, {board.core}, {board.sram.size_bytes:,} B SRAM, {board.flash.size_bytes:,} B flash")
    print(f"Next: tinynas fit model.tflite --board {path}")


def _number(key: str, value: object) -> int:
    try:
        return int(str(value), 0)
    except ValueError as error:
        raise BoardError(f"{key}: wanted a number, as 1048576 or 0x08000000, found {value!r}") from error


def _core(value: str) -> Any:
    from tinynas.lab.board import Core

    if value not in set(Core):
        raise BoardError(f"core: unknown {value!r}; known: {', '.join(Core)}")
    return Core(value)
