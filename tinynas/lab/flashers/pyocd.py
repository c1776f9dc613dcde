"""pyOCD: flashes through CMSIS-DAP, ST-Link and J-Link probes, or a `remote:` one as a virtual board has."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tinynas.errors import FlashError
from tinynas.lab.board import Board
from tinynas.lab.elf import Segment, read_elf
from tinynas.lab.flashers.base import Target, described, first_line, module, run_tool
from tinynas.lab.hardware import PyOcd

_HINT = "is the board attached by USB, and no other debugger on it? `pyocd list` shows the probes for --probe"
_complaint = first_line("No available", "Error", "error", "CRITICAL", "not recognized")


class PyOcdFlasher:
    """`pyocd load`, then what was written is read back and compared here: pyOCD itself trusts its flash algorithm."""

    def flash(self, image: Path, board: Board, target: Target) -> None:
        load = [*_pyocd("load", board, target), "--no-reset", "--format", "elf", image]
        _run(load, f"{board.name}: pyOCD could not flash it", board, target)
        with tempfile.TemporaryDirectory(prefix="tinynas-pyocd-") as folder:
            segments = read_elf(image).segments
            read = [_save(segment, Path(folder) / str(i)) for i, segment in enumerate(segments)]
            script = [part for line in ("halt", *read, "reset") for part in ("-c", line)]
            command = [*_pyocd("commander", board, target), *script]
            _run(command, f"{board.name}: pyOCD could not read it back", board, target)
            for i, segment in enumerate(segments):
                _compare(segment, Path(folder) / str(i), board)

    def reset(self, board: Board, target: Target) -> None:
        _run(_pyocd("reset", board, target), f"{board.name}: pyOCD could not restart it", board, target)


def _pyocd(subcommand: str, board: Board, target: Target) -> list[str | Path]:
    """The core stays halted from one call to the next: half an image must not run."""
    chosen = ["--uid", target.probe] if target.probe else []
    options = ["--no-wait", "--no-config", "-O", "resume_on_disconnect=false", "--target", _table(board).target]
    return [*module("pyocd", "lab"), subcommand, *options, *chosen]


def _table(board: Board) -> PyOcd:
    if board.virtual is not None:
        return PyOcd(target="cortex_m")
    return described(board, "pyocd", PyOcd)


def _run(command: list[str | Path], doing: str, board: Board, target: Target) -> None:
    pack = _table(board).pack
    hint = f"{_HINT}; the target comes from a pack: pyocd pack install {pack}" if pack else _HINT
    run_tool(command, doing, target, _complaint, hint)


def _save(segment: Segment, path: Path) -> str:
    return f"savemem {segment.address:#x} {len(segment.data)} {path}"


def _compare(segment: Segment, path: Path, board: Board) -> None:
    found = path.read_bytes() if path.is_file() else b""
    if found != segment.data:
        pairs = enumerate(zip(found, segment.data, strict=False))
        at = next((i for i, (is_there, wanted) in pairs if is_there != wanted), len(found))
        raise FlashError(
            f"{board.name}: pyOCD flashed it, but {segment.address + at:#010x} does not read back what was written; "
            "flash again, and if it stays so, erase the chip: pyocd erase --chip"
        )
