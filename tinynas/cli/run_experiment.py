"""`tinynas run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run_experiment(
    experiment: Annotated[Path, typer.Argument(metavar="EXPERIMENT.toml", show_default=False)],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="a.b=c", help="Replace one setting; may be repeated.", show_default=False),
    ] = None,
) -> None:
    """Find, train, quantise, build, flash, time and verify a network. The same command again resumes a stopped run."""
    from tinynas.pipeline.run import run

    run(experiment, settings or [])
