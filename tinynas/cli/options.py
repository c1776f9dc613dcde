"""Arguments and options that several commands share, and the few ways in which commands print."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from tinynas.lab.device import Flashing

ModelArgument = Annotated[Path, typer.Argument(metavar="MODEL", help="int8 .tflite file.", show_default=False)]
BoardOption = Annotated[
    str, typer.Option("--board", "-b", help="Name from `tinynas boards`, or a board file.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for scripts.")]
PortOption = Annotated[
    str | None, typer.Option("--port", help="Serial device of a hardware board.", show_default=False)
]

ExperimentArgument = Annotated[Path, typer.Argument(metavar="EXPERIMENT.toml", show_default=False)]
OtherBoardOption = Annotated[
    str | None,
    typer.Option("--board", "-b", help="Name from `tinynas boards`; default: the experiment's.", show_default=False),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="a.b=c", help="Replace one setting; may be repeated.", show_default=False),
]
MeasurementsOption = Annotated[
    str | None,
    typer.Option(envvar="TINYNAS_MEASUREMENTS", help="URL of the measurement store; default: runs/measurements.db."),
]

FlasherOption = Annotated[
    str | None, typer.Option("--flasher", help="Another than the board file's first.", show_default=False)
]
ProbeOption = Annotated[
    str | None, typer.Option("--probe", help="Serial number of the debug probe.", show_default=False)
]


def overrides(settings: list[str] | None, board: str | None) -> list[str]:
    """Of an experiment's settings, from --set and --board."""
    return [*(settings or []), *([f"board={board}"] if board else [])]


def flashing(flasher: str | None, probe: str | None) -> Flashing:
    """How to flash, from --flasher and --probe."""
    from tinynas.lab.device import Flashing
    from tinynas.lab.flashers.base import Target

    return Flashing(flasher, Target(probe=probe))


def print_json(value: Any) -> None:
    """One JSON value on stdout, and nothing else."""
    print(json.dumps(value, indent=2))


def progress_console() -> Console:
    """Progress goes to stderr, so that stdout holds only results."""
    from rich.console import Console

    return Console(stderr=True)


class Bar:
    """A progress bar of one task."""

    def __init__(self, bars: Progress, task: TaskID) -> None:
        self._bars, self._task = bars, task

    def advance(self, done: int) -> None:
        """`done` more steps are finished."""
        self._bars.advance(self._task, done)

    def show(self, done: int, total: int) -> None:
        """`done` of `total` steps are finished."""
        self._bars.update(self._task, completed=done, total=total)


@contextmanager
def progress(words: str, total: int | None = None) -> Iterator[Bar]:
    """A bar on stderr with the time left; nothing where stderr is no terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = progress_console()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        yield Bar(bars, bars.add_task(words, total=total))
