"""`tinynas lab scan`, `who`, `reserve` and `release`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.cli.options import JsonOption, print_json

if TYPE_CHECKING:
    from tinynas.lab.hwmap import BoardEntry, Changes

VIRTUAL = ("qemu-stm32f405", "qemu-mps2-an386")  # kinds that --virtual takes in turn
MapOption = Annotated[Path, typer.Option("--map", help="Hardware map.", envvar="TINYNAS_MAP")]
MAP = Path("map.yaml")


def scan(
    out: Annotated[Path, typer.Option("--out", "-o", help="Hardware map to make or update.")] = MAP,
    virtual: Annotated[int, typer.Option(min=0, help="Add N virtual boards instead of looking at USB.")] = 0,
    kind: Annotated[list[str] | None, typer.Option(help="Kinds for --virtual, taken in turn.")] = None,
    named: Annotated[
        list[str] | None,
        typer.Option("--as", metavar="SERIAL=BOARD", help="Which board that is, where USB alone cannot tell."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the boards that are attached into a hardware map; what people wrote into it stays.

    Boards are told by their USB identity, never by the name of a port. One that is gone is marked, not removed.
    """
    from tinynas.lab.hwmap import add_virtual, scan_into
    from tinynas.lab.scan import attached_boards

    if virtual:
        kinds = kind or VIRTUAL
        changes = add_virtual(out, [kinds[k % len(kinds)] for k in range(virtual)])
    else:
        changes = scan_into(out, attached_boards(dict(map(_named, named or []))))
    if as_json:
        print_json(asdict(changes))
    else:
        _print_changes(out, changes)


def _named(text: str) -> tuple[str, str]:
    from tinynas.errors import ConfigError

    serial, equals, board = text.rpartition("=")
    if not equals:
        raise ConfigError(f"--as {text}: wanted SERIAL=BOARD, as in: --as 066E38=nucleo-f401re")
    return serial, board


def _print_changes(out: Path, changes: Changes) -> None:
    for word, ids in (("new", changes.new), ("back", changes.back), ("not connected any more", changes.gone)):
        if ids:
            print(f"{word}: {', '.join(ids)}")
    for line in changes.unclear:
        print(f"not in the map yet: {line}; say which: tinynas lab scan --as SERIAL=BOARD")
    if not any((changes.new, changes.back, changes.gone, changes.unclear)):
        print("no change: no board was found that the map does not have")
    print(f"hardware map: {out}")


def who(map_path: MapOption = MAP, as_json: JsonOption = False) -> None:
    """Show every board of the map: free, in use (by whom, for what), reserved, or not connected."""
    from tinynas.lab.hwmap import read_map

    rows = _rows(read_map(map_path))
    if as_json:
        print_json(rows)
        return
    width = max((len(row["id"]) for row in rows), default=0)
    for row in rows:
        print(f"{row['id']:<{width}}  {row['board']:<18}  {row['state']}")


def _rows(entries: tuple[BoardEntry, ...]) -> list[dict[str, Any]]:
    from tinynas.lab.locks import lock_holder
    from tinynas.lab.reserve import reservations

    reserved = {found.board: found for found in reservations() if found.board}
    rows = []
    for entry in entries:
        holder, kept = lock_holder(entry.id), reserved.get(entry.id)
        states = [f"in use by {holder}" if holder else "", str(kept) if kept else "", _place_state(entry)]
        free = "free" if entry.connected else "not connected"
        state = "; ".join(filter(None, states)) or free
        rows.append({"id": entry.id, "board": entry.kind, "connected": entry.connected, "state": state})
    return rows


def _place_state(entry: BoardEntry) -> str:
    """Who has the board in labgrid, where it is one of another machine."""
    from tinynas.errors import TinyNasError
    from tinynas.lab.places import place_holder

    if entry.place is None:
        return ""
    try:
        holder = place_holder(entry.place)
    except TinyNasError as error:  # the other boards are shown all the same
        return str(error)
    return f"labgrid place {entry.place} acquired by {holder}" if holder else ""


def reserve(
    board: Annotated[str | None, typer.Option("--board", "-b", help="A kind of board, or the id of one.")] = None,
    fixture: Annotated[list[str] | None, typer.Option(help="It must have this fixture.")] = None,
    map_path: MapOption = MAP,
    purpose: Annotated[str, typer.Option("--purpose", help="Shown to others who want it.")] = "",
    wait_s: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for a free one.")] = 0.0,
    minutes: Annotated[float, typer.Option("--for", min=0.1, help="Minutes until it ends by itself.")] = 30.0,
    refresh: Annotated[str | None, typer.Option(help="Token: start its minutes again.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a board for yourself; prints the token that `tinynas lab run --token` and `release` take."""
    from tinynas.lab.hwmap import read_map
    from tinynas.lab.reserve import refresh as keep
    from tinynas.lab.reserve import reserve as ask

    if refresh is not None:
        found = keep(refresh)
    else:
        entries = [entry for entry in read_map(map_path) if _would_do(entry, board, fixture or [])]
        lasts_s = minutes * 60
        found = ask(entries, purpose=purpose, lasts_s=lasts_s, wait_s=wait_s, on_wait=_say_waiting)
    if as_json:
        print_json(asdict(found))
    else:
        print(found.token)
        print(f"{found.board} is yours for {found.lasts_s / 60:g} min", file=sys.stderr)


def release(token: Annotated[str, typer.Argument(help="As `tinynas lab reserve` printed it.")]) -> None:
    """End a reservation."""
    from tinynas.lab.reserve import release as end

    print(f"{end(token).board} is free again")


def _would_do(entry: BoardEntry, board: str | None, fixtures: list[str]) -> bool:
    named = board is None or board in {entry.id, entry.kind}
    return entry.connected and named and set(fixtures) <= set(entry.fixtures)


def _say_waiting(reason: str) -> None:
    print(f"tinynas: waiting: {reason}", file=sys.stderr)
