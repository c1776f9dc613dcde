"""The latency table of an experiment's space on a board, by itself; a run with method = "ofa" takes it up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinynas.lab.runtime_size import runtime_size
from tinynas.pipeline.config import load_experiment
from tinynas.pipeline.progress import Progress, Silent
from tinynas.pipeline.run import open_context
from tinynas.pipeline.stages.data import load_data
from tinynas.pipeline.stages.ofa_latency import load_latency_table, make_latency_table
from tinynas.pipeline.stages.ofa_supernet import elastic_space
from tinynas.predict.latency_table import LatencyTable


def measure_latency_table(
    path: Path,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
    *,
    runs: Path = Path("runs"),
    measurements: str | None = None,
    workers: int | None = None,
    port: str | None = None,
) -> tuple[LatencyTable, Path]:
    """Build the table of the experiment in `path` on its board; the table, and where it is kept.

    What was measured before is taken from the measurement store.

    Raises:
        TinyNasError: whatever the user can mend; what was measured is kept.
    """
    experiment = load_experiment(path, overrides)
    context = open_context(experiment, runs / experiment.name, progress or Silent(), measurements, workers, port)
    runtime, data = runtime_size(context.board), load_data(context)
    if experiment.method == "ofa":
        output = make_latency_table(context, data, elastic_space(context, data), runtime)
    else:
        space = experiment.space.with_changes(channels=data.input_shape[2], classes=len(data.classes))
        output = make_latency_table(context, data, space, runtime)
    return load_latency_table(output), output.folder / "latency_table.json"
