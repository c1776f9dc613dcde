"""Arguments and options that several commands share, and the few ways in which commands print."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

ModelArgument = Annotated[Path, typer.Argument(metavar="MODEL", help="int8 .tflite file.", show_default=False)]
BoardOption = Annotated[
    str, typer.Option("--board", "-b", help="Name from `tinynas boards`, or a board file.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for scripts.")]
PortOption = Annotated[
    str | None, typer.Option("--port", help="Serial device of a hardware board.", show_default=False)
]


def print_json(value: Any) -> None:
    """One JSON value on stdout, and nothing else."""
    print(json.dumps(value, indent=2))


def progress_console() -> Console:
    """Progress goes to stderr, so that stdout holds only results."""
    from rich.console import Console

    return Console(stderr=True)


@contextmanager
def progress(words: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr with the time left; yields a function that takes the number of steps just done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = progress_console()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(words, total=total)
        yield lambda done: bar.advance(task, done)
