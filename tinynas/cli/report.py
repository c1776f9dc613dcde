"""`tinynas report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that `tinynas run` left.", show_default=False)],
) -> None:
    """Print the Pareto front of a finished run and write its report.html again."""
    from rich.console import Console

    from tinynas.report.html import write_report
    from tinynas.report.run_folder import load_run
    from tinynas.report.tables import front_table

    Console().print(front_table(load_run(run)))
    print(f"report: {write_report(run)}")
