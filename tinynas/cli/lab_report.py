"""`tinynas lab report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinynas.cli.lab_run import STORE, StoreOption, SuiteArgument


def report(
    suite: SuiteArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="HTML file to write.")] = Path("lab.html"),
    store: StoreOption = STORE,
    last: Annotated[int, typer.Option(min=1, help="Only the last N runs.")] = 100,
) -> None:
    """Write the history of SUITE as one HTML page: every run, and how each case's figures went."""
    from tinynas.lab.files import write_whole
    from tinynas.lab.regression.history import History
    from tinynas.lab.regression.suite import Suite
    from tinynas.report.lab_page import lab_page

    name = Suite.load(suite).name
    history = History(store)
    try:
        entries = history.entries(name)
    finally:
        history.close()
    write_whole(out, lab_page(name, entries, last))
    print(f"history of {len({entry.run for entry in entries})} runs: {out}")
