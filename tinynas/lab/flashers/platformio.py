"""PlatformIO: flashes what it has built, with the tool that the board's platform brings."""

from __future__ import annotations

from pathlib import Path

from tinynas.errors import BoardError, FlashError
from tinynas.lab.arduino import project_config
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
        built = self.image(board)
        if not built.is_file() or image.read_bytes() != built.read_bytes():  # tinynas keeps copies of its images
            raise FlashError(
                f"{board.name}: PlatformIO uploads what it has built, {built}, not {image}; build it with: "
                f"pio run -d {self._project} -e {board.environment}"
            )
        self._run(board, target, "-t", "nobuild", "-t", "upload")

    def reset(self, board: Board, target: Target) -> None:
        raise BoardError(f"{board.name}: PlatformIO cannot restart it; press the board's reset button, or flash it")

    def image(self, board: Board) -> Path:
        """Where PlatformIO leaves the board's image."""
        return (self._project.parent / "build" / "pio" / "build" / board.environment / "firmware.elf").resolve()

    def _run(self, board: Board, target: Target, *targets: str) -> None:
        project = ["-d", str(self._project), "-c", str(project_config(board)), "-e", board.environment]
        port = ["--upload-port", target.port] if target.port else []
        pio = [*module("platformio", "boards"), "run", *project, *targets, *port]
        run_tool(pio, f"{board.name}: PlatformIO could not flash it", target, _complaint, _HINT)
