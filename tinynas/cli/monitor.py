"""`tinynas monitor`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinynas.cli.options import FlasherOption, PortOption, ProbeOption, flashing
from tinynas.errors import BoardError

if TYPE_CHECKING:
    from tinynas.lab.board import Board
    from tinynas.lab.device import Flashing
    from tinynas.lab.link import SerialLink


def monitor(
    board: Annotated[str | None, typer.Option("--board", "-b", help="Its port is found by USB identity.")] = None,
    port: PortOption = None,
    model: Annotated[
        Path | None, typer.Option(help="What a virtual board runs; default: a small model that ships.")
    ] = None,
    baud: Annotated[
        int | None, typer.Option(min=1, help="Default: the board's, or 115200.", show_default=False)
    ] = None,
    log: Annotated[Path | None, typer.Option(help="Time-stamped log; default: a new file in the cache.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Restart a real board first.")] = False,
    flasher: FlasherOption = None,
    probe: ProbeOption = None,
    quiet_s: Annotated[float, typer.Option(min=0, help="From a pipe: end when nothing came for so long.")] = 1.0,
) -> None:
    """Talk to a board by hand: a raw console on its serial line. Ctrl-] or Ctrl-C leaves.

    Nothing is flashed on a real board; --reset restarts it by --flasher, or the first that its file names.
    A script pipes commands in: echo 'name%' | tinynas monitor --board host
    """
    from tinynas.lab.monitor import monitor as run
    from tinynas.lab.monitor import standard_streams

    if board is None and (port is None or reset):
        raise BoardError("which board? Give --board NAME, or --port /dev/ttyACM0")
    restart = flashing(flasher, probe) if reset else None
    with _line(board, port, model, baud, log, restart) as link:
        if sys.stdin.isatty():
            print(f"{link.port}, {link.baud} baud; log: {link.log.path}; leave with Ctrl-]", file=sys.stderr)
        run(link, *standard_streams(), quiet_s)


@contextmanager
def _line(
    name: str | None, port: str | None, model: Path | None, baud: int | None, log: Path | None, restart: Flashing | None
) -> Iterator[SerialLink]:
    from tinynas.lab.board import load_board

    board = None if name is None else load_board(name)
    if board is not None and board.kind != "hardware" and port is None:
        with _running(board, model, log) as link:
            yield link
    elif board is not None and restart is not None:
        with _restarted(board, port, log, restart) as link:
            yield link
    else:
        with _attached(board, port, baud, log) as link:
            yield link


@contextmanager
def _running(board: Board, model: Path | None, log: Path | None) -> Iterator[SerialLink]:
    """A virtual board, or the host, that has just started."""
    from tinynas.cli.models import read_model
    from tinynas.lab.measure import build_model, flash
    from tinynas.lab.session import open_board
    from tinynas.resources import resource

    found = read_model(model or resource("firmware") / "models" / "smoke.tflite")
    with tempfile.TemporaryDirectory() as folder, open_board(board, log=log) as session:
        flash(session, build_model(found.content, board, Path(folder)))
        yield session.link


@contextmanager
def _restarted(board: Board, port: str | None, log: Path | None, restart: Flashing) -> Iterator[SerialLink]:
    """A real board that starts now."""
    from tinynas.lab.device import AttachedDevice
    from tinynas.lab.ports import port_lock, port_of
    from tinynas.lab.rawlog import RawLog, default_log

    place, raw_log = port or port_of(board), RawLog(log or default_log(board.name))
    try:
        with port_lock(place, "tinynas monitor"):
            device = AttachedDevice(board, place, raw_log, restart)
            try:
                device.restart()
                yield device.link
            finally:
                device.close()
    finally:
        raw_log.close()


@contextmanager
def _attached(board: Board | None, port: str | None, baud: int | None, log: Path | None) -> Iterator[SerialLink]:
    from tinynas.lab.link import SerialLink
    from tinynas.lab.ports import port_lock, port_of
    from tinynas.lab.rawlog import RawLog, default_log
    from tinynas.lab.serial_port import BAUD

    if port is None:
        assert board is not None
        port = port_of(board)
    rate = baud or (board.hardware.baud if board and board.hardware else BAUD)
    raw_log = RawLog(log or default_log(board.name if board else "monitor"))
    try:
        with port_lock(port, "tinynas monitor"):
            link = SerialLink(port, raw_log, baud=rate)
            try:
                yield link
            finally:
                link.close()
    finally:
        raw_log.close()
