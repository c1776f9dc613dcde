"""`tinynas latency-table`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinynas.cli.options import (
    ExperimentArgument,
    JsonOption,
    MeasurementsOption,
    OtherBoardOption,
    PortOption,
    SetOption,
    overrides,
)

if TYPE_CHECKING:
    from tinynas.predict.latency_table import LatencyTable

_SHOWN = 12  # pieces, the dearest


def latency_table(
    experiment: ExperimentArgument,
    board: OtherBoardOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the table there too, as JSON.", show_default=False)
    ] = None,
    settings: SetOption = None,
    measurements: MeasurementsOption = None,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure what every block of the experiment's space takes on a board, and how well that adds up.

    Networks of the space are built, flashed and timed; the blocks' shares follow from their sums. Others, measured too,
    check it. The same command again resumes, and a run with method = "ofa" takes the table up.
    """
    from tinynas.pipeline.files import write_bytes
    from tinynas.pipeline.progress import shown_progress
    from tinynas.pipeline.table import measure_latency_table

    with shown_progress() as progress:
        table, path = measure_latency_table(
            experiment, overrides(settings, board), progress, measurements=measurements, port=port
        )
    if output:
        write_bytes(output, path.read_bytes())
    print(path.read_text() if as_json else "\n".join([*_lines(table), f"table: {output or path}"]))


def _lines(table: LatencyTable) -> list[str]:
    """The dearest pieces, and how far the sums are off."""
    dearest = sorted(table.entries.items(), key=lambda item: -item[1].latency_us)[:_SHOWN]
    lines = [f"{table.board}: {len(table.entries)} blocks and ends, out of {table.nets} networks; the dearest:"]
    lines += [f"  {entry.latency_us:10.1f} us  in {entry.nets:3} networks  {key}" for key, entry in dearest]
    if check := table.check:
        lines += [
            f"sums on {check.nets} other networks: {check.mape:.1%} off on average, {check.worst:.1%} at worst; "
            f"Kendall tau {check.kendall_tau:.3f}, of MACs alone {check.kendall_tau_macs:.3f}"
        ]
    return lines
