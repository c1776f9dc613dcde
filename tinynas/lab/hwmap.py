"""The hardware map: which boards a bench has, in YAML. People edit it, so comments and unknown keys stay."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tinynas.errors import ConfigError
from tinynas.lab.board import known_boards, load_board
from tinynas.lab.files import write_whole
from tinynas.lab.hardware import Flasher
from tinynas.lab.power import Power


class BoardEntry(BaseModel, frozen=True, extra="allow"):
    """One board of the bench. Keys that are not listed here are the user's own and are kept."""

    id: Annotated[str, Field(pattern=r"^[\w.-]+$")]  # unique in the map; the name of its lock
    board: str  # kind of board: a name from `tinynas boards`, or the path of a board file, seen from the map
    connected: bool = True
    serial: str | None = None  # USB serial number, a port's path, or a URL (socket://host:port)
    probe_id: str | None = None  # serial number of the debug probe, to tell several apart
    runner: Flasher | None = None  # which flasher; default: the board's first
    baud: PositiveInt | None = None  # of the line; images talk at the board file's, so a real board's must be that
    product: str | None = None  # what the USB device calls itself
    fixtures: tuple[str, ...] = ()  # what is wired to it: camera, power-meter; tests may ask for them
    power: Power | None = None
    place: str | None = None  # labgrid's name of it, where it is attached to another machine
    flash_command: str | None = None  # flashes in the runner's place; {elf} is the image
    flash_timeout: PositiveFloat = 120.0  # seconds
    notes: str = ""

    @property
    def kind(self) -> str:
        """The board's name, where `board` is the path of its file too."""
        return Path(self.board).stem


@dataclass(frozen=True)
class Attached:
    """A board that is plugged in, as its USB identity tells."""

    boards: tuple[str, ...]  # what it can be: one where that is certain
    serial: str  # USB serial number, else its USB ids and place
    product: str
    probe_id: str | None = None


@dataclass(frozen=True)
class Changes:
    """What a scan did to the map: ids."""

    new: tuple[str, ...]
    back: tuple[str, ...]  # were marked as not connected, and are there again
    gone: tuple[str, ...]
    unclear: tuple[str, ...] = ()  # not in the map: serial number, and the boards that it can be


def read_map(path: Path) -> tuple[BoardEntry, ...]:
    """The boards in the map at `path`.

    Raises:
        ConfigError: missing or malformed; key and line are named.
    """
    return _entries(_load(path), path)


def scan_into(path: Path, attached: Sequence[Attached]) -> Changes:
    """Brings the map at `path` up to date with what is attached; a missing map is made.

    Boards are recognised by `serial`. New ones are added, those that are gone are marked `connected: false`; virtual
    boards and boards of other machines (`place`) are left alone, and so is everything that the user wrote.
    """
    rows = _load(path) if path.is_file() else []
    known = {entry.serial: (entry, row) for entry, row in zip(_entries(rows, path), rows, strict=True) if entry.serial}
    there = {found.serial for found in attached}
    local = [(entry, row) for entry, row in known.values() if entry.place is None and not _is_elsewhere(entry)]
    back = [_mark(row, True) for entry, row in local if entry.serial in there and not entry.connected]
    gone = [_mark(row, False) for entry, row in local if entry.serial not in there and entry.connected]
    fresh = [found for found in attached if found.serial not in known]
    new = _append(rows, [_row(found) for found in fresh if len(found.boards) == 1])
    unclear = tuple(f"{found.serial} is one of {', '.join(found.boards)}" for found in fresh if len(found.boards) > 1)
    _save(path, rows)
    return Changes(tuple(new), tuple(back), tuple(gone), unclear)


def add_virtual(path: Path, boards: Sequence[str]) -> Changes:
    """Appends a virtual board of each kind in `boards` to the map at `path`, which is made if it is missing."""
    rows = _load(path) if path.is_file() else []
    _entries(rows, path)
    new = _append(rows, [{"board": board, "connected": True} for board in boards])
    _save(path, rows)
    return Changes(tuple(new), (), ())


def _is_elsewhere(entry: BoardEntry) -> bool:
    return "://" in (entry.serial or "")


def _mark(row: Any, connected: bool) -> str:
    row["connected"] = connected
    return str(row["id"])


def _row(found: Attached) -> dict[str, Any]:
    row = {"board": found.boards[0], "connected": True, "serial": found.serial, "product": found.product}
    return row if found.probe_id is None else row | {"probe_id": found.probe_id}


def _append(rows: Any, new: Iterable[Mapping[str, Any]]) -> list[str]:
    taken = {row["id"] for row in rows}
    ids = []
    for row in new:
        number = next(n for n in range(1, len(taken) + 2) if f"{Path(row['board']).stem}-{n}" not in taken)
        ids.append(f"{Path(row['board']).stem}-{number}")
        taken.add(ids[-1])
        rows.append({"id": ids[-1], **row})
    return ids


def _entries(rows: Any, path: Path) -> tuple[BoardEntry, ...]:
    if not isinstance(rows, list):
        raise ConfigError(f"{path}: wanted a list of boards (`- id: ...`), found {type(rows).__name__}")
    entries = tuple(_entry(row, number, path) for number, row in enumerate(rows, 1))
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise ConfigError(f"{path}: two boards have the id {entry.id!r}; ids must be unique")
        seen.add(entry.id)
    return entries


def _entry(row: Any, number: int, path: Path) -> BoardEntry:
    if not isinstance(row, Mapping):
        raise ConfigError(f"{path}: entry {number}: wanted keys and values, found {row!r}")
    where = f"{path}: entry {number} ({row.get('id', 'without an id')})"
    try:
        entry = BoardEntry.model_validate(dict(row))
    except ValidationError as error:
        first = error.errors()[0]
        hint = "; put it in quotes" if first["type"] == "string_type" and first["input"] is not None else ""
        key = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{where}: {key}: {first['msg']} (found {first['input']!r}){hint}") from error
    if entry.board.endswith(".toml"):
        entry = entry.model_copy(update={"board": str((path.parent / entry.board).resolve())})
    elif entry.board not in known_boards():
        raise ConfigError(f"{where}: unknown board {entry.board!r}; `tinynas boards` lists the names")
    if entry.baud is not None:
        _require_speed(entry.board, entry.baud, where)
    return entry


def _require_speed(board: str, baud: int, where: str) -> None:
    hardware = load_board(board).hardware
    if hardware is not None and hardware.baud != baud:
        raise ConfigError(
            f"{where}: baud: {baud}, but images for {Path(board).stem} talk at {hardware.baud}; leave it out, or name "
            "a board file of your own with that speed"
        )


def _yaml() -> YAML:
    yaml = YAML()  # round trip: keeps comments, order and quotes
    yaml.preserve_quotes = True
    yaml.width = 1000
    return yaml


def _load(path: Path) -> Any:
    try:
        rows = _yaml().load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise ConfigError(f"{path}: {reason}; make a hardware map with: tinynas lab scan -o {path}") from error
    except YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    return [] if rows is None else rows


def _save(path: Path, rows: Any) -> None:
    text = io.StringIO()
    if rows:
        _yaml().dump(rows, text)
    else:  # `[]` would make what is added later one long line
        text.write("# no boards yet: tinynas lab scan\n")
    write_whole(path, text.getvalue())
