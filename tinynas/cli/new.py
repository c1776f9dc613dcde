"""`tinynas new`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinynas.cli.options import BoardOption, progress
from tinynas.errors import ConfigError

if TYPE_CHECKING:
    from tinynas.data.describe import Description

NAMED = 20  # unreadable files; a longer list is cut


def new(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="Image folder (one subfolder per class), zip, or COCO folder.", show_default=False
        ),
    ],
    board: BoardOption,
    output: Annotated[Path, typer.Option("-o", "--output", help="Experiment to write.")] = Path("my.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace OUTPUT if it exists.")] = False,
) -> None:
    """Look at your own images and write a commented experiment for them, ready for `tinynas run`."""
    from tinynas.cli.experiment_text import experiment_text
    from tinynas.lab.board import load_board
    from tinynas.pipeline.files import write_bytes

    _check_output(output, force)
    target = load_board(board)
    found = _describe(data)
    write_bytes(output, experiment_text(found, board, target, output).encode())
    _print(found)
    print(f"{output} written; next: tinynas run {output}")


def _check_output(output: Path, force: bool) -> None:
    """The file's name becomes the run's."""
    if output.suffix != ".toml" or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", output.stem):
        raise ConfigError(f"{output}: wanted a name of letters, digits, . _ - that ends in .toml; the run is called so")
    if output.exists() and not force:
        raise ConfigError(f"{output} exists; give another name with -o, or --force to replace it")


def _describe(data: Path) -> Description:
    from tinynas.data.describe import describe

    with progress("looking at the images") as bar:
        return describe(data, bar.show)


def _print(found: Description) -> None:
    width, height = found.median_size
    for name, count in zip(found.classes, found.counts, strict=True):
        print(f"  {name}: {count:,} images")
    print(f"  {width} x {height} pixels (median), {found.coloured:.0%} with colour")
    for path in found.unreadable[:NAMED]:
        print(f"cannot be read: {path}", file=sys.stderr)
    if len(found.unreadable) > NAMED:
        print(f"... and {len(found.unreadable) - NAMED} more", file=sys.stderr)
