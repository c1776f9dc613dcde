"""PlatformIO's upload: `python -m tinynas.lab.upload BOARD ELF`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinynas.errors import BoardError, TinyNasError
from tinynas.lab import server
from tinynas.lab.board import Board, load_board
from tinynas.lab.flashers.base import Target
from tinynas.lab.flashers.registry import flash
from tinynas.lab.ports import port_lock, port_of


def upload(name: str, elf: Path) -> str:
    """Flashes `elf`: a real board as its file says, a virtual one where `tinynas.lab.server` runs it."""
    board = load_board(name)
    if board.virtual is not None:
        return f"{name}: {server.flash_running(board, elf)}"
    with _alone(board):
        flash(elf, board, Target())
    return f"{name}: flashed and verified"


@contextmanager
def _alone(board: Board) -> Iterator[None]:
    """Keeps other processes of ours away, as far as it is known where the board is: its loader may have no port."""
    try:
        port = port_of(board)
    except BoardError:
        yield
        return
    with port_lock(port, f"uploading to {board.name}"):
        yield


if __name__ == "__main__":
    try:
        print(upload(sys.argv[1], Path(sys.argv[2])))
    except TinyNasError as error:
        sys.exit(f"tinynas: {error}")
