"""PlatformIO: flashes what it has built, with the tool that the board's platform brings."""

from __future__ import annotations

import shutil
from pathlib import Path

from tinynas.errors import BoardError, FlashError
from tinynas.lab.arduino import build_folder, project_config
from tinynas.lab.board import Board
from tinynas.lab.flashers.base import Target, first_line, module, run_tool
from tinynas.resources import resource

_HINT = "is the board attached, and no other program on its port?"
_complaint = first_line("Error:", "error:", "*** [upload]", "tinynas:")


class PlatformIoFlasher:
    """`pio run -t upload` of the board's environment in firmware/platformio.ini (or another project folder)."""

    def __init__(self, project: Path | None = None) -> None:
        self._project = project or resource("firmware")

    def flash(self, image: Path, board: Board, target: Target) -> None:
        built = build_folder(board) / "firmware.elf"
        if not built.is_file() or image.read_bytes() != built.read_bytes():
            _put_back(image, board, built.parent)
        self._run(board, target, "-t", "nobuild", "-t", "upload")

    def reset(self, board: Board, target: Target) -> None:
        raise BoardError(f"{board.name}: PlatformIO cannot restart it; press the board's reset button, or flash it")

    def _run(self, board: Board, target: Target, *targets: str) -> None:
        project = ["-d", str(self._project), "-c", str(project_config(board)), "-e", board.environment]
        port = ["--upload-port", target.port] if target.port else []
        pio = [*module("platformio", "boards"), "run", *project, *targets, *port]
        run_tool(pio, f"{board.name}: PlatformIO could not flash it", target, _complaint, _HINT)


def _put_back(image: Path, board: Board, folder: Path) -> None:
    """PlatformIO uploads what lies in its build folder: the image, and the forms of it that its tools want."""
    parts = list(image.parent.glob("firmware.*"))
    if image.name != "firmware.elf" or len(parts) < 2:
        raise FlashError(
            f"{board.name}: PlatformIO uploads what it has built, in {folder}, not {image}; let tinynas build the image"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for path in parts:
        shutil.copy2(path, folder)
