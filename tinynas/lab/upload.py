"""PlatformIO's upload: `python -m tinynas.lab.upload BOARD ELF`."""

from __future__ import annotations

import sys
from pathlib import Path

from tinynas.errors import TinyNasError
from tinynas.lab import server
from tinynas.lab.board import load_board
from tinynas.lab.flashers.base import Target
from tinynas.lab.flashers.registry import flash


def upload(name: str, elf: Path) -> str:
    """Flashes `elf`: a real board as its file says, a virtual one where `tinynas.lab.server` runs it."""
    board = load_board(name)
    if board.virtual is not None:
        return f"{name}: {server.flash_running(board, elf)}"
    flash(elf, board, Target())
    return f"{name}: flashed and verified"


if __name__ == "__main__":
    try:
        print(upload(sys.argv[1], Path(sys.argv[2])))
    except TinyNasError as error:
        sys.exit(f"tinynas: {error}")
