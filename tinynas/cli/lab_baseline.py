"""`tinynas lab baseline update`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinynas.cli.lab_run import OutOption, SuiteArgument


def update(
    suite: SuiteArgument,
    out: OutOption = None,
    run: Annotated[
        Path | None, typer.Option(help="Folder of a run; default: the last one.", show_default=False)
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Case id or pattern; default: all.", show_default=False)
    ] = None,
) -> None:
    """Take the figures of a run as the baseline from now on.

    Cases that failed for the lab's sake, or are not bit-exact, keep their old record; those of other toolchains stay.
    """
    from tinynas.lab.regression.baseline import Baseline
    from tinynas.lab.regression.run_folder import last_results, read_results
    from tinynas.lab.regression.setup import default_root
    from tinynas.lab.regression.suite import Suite
    from tinynas.lab.regression.updating import records_of

    found = Suite.load(suite)
    folder = run or last_results(out or default_root(found))
    result = read_results(folder)
    new = records_of(result, only or ["*"])
    Baseline.read(found.baseline).with_records(new).write(found.baseline)
    print(f"{len(new)} of {len(result.cases)} cases of {folder} are the baseline now: {found.baseline}")
