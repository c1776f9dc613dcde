"""`tinynas flash`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from tinynas.cli.options import (
    BoardOption,
    FlasherOption,
    ModelArgument,
    PortOption,
    ProbeOption,
    flashing,
    progress_console,
)


def flash(
    model: ModelArgument,
    board: BoardOption,
    port: PortOption = None,
    flasher: FlasherOption = None,
    probe: ProbeOption = None,
    called: Annotated[str, typer.Option("--name", help="What the runner calls the model.")] = "main",
) -> None:
    """Build MODEL into the runner, write it to the board, and wait for the runner to say hello.

    With --name vww01 (kws01, ic01) MLPerf Tiny's own runner can drive the board then.
    """
    from tinynas.cli.models import read_model
    from tinynas.lab.board import load_board
    from tinynas.lab.measure import build_model
    from tinynas.lab.measure import flash as flash_built
    from tinynas.lab.session import open_board

    target, found = load_board(board), read_model(model)
    with progress_console().status(f"building and flashing {board}"), tempfile.TemporaryDirectory() as folder:
        built = build_model(found.content, target, Path(folder), called=called)
        with open_board(target, port=port, flashing=flashing(flasher, probe)) as session:
            flash_built(session, built)
            log = session.log_path
    print(f"{board}: runs {model}, sha256 {built.sha256[:12]}, image of {built.image.flash_bytes:,} B")
    print(f"serial log: {log}")
