"""`tinynas run`."""

from __future__ import annotations

from typing import Annotated

import typer

from tinynas.cli.options import ExperimentArgument, MeasurementsOption, PortOption, SetOption


def run_experiment(
    experiment: ExperimentArgument,
    settings: SetOption = None,
    measurements: MeasurementsOption = None,
    port: PortOption = None,
    finetune: Annotated[
        int | None,
        typer.Option(
            "--finetune",
            metavar="EPOCHS",
            min=0,
            help='With method = "ofa": train the networks found for so many epochs.',
            show_default=False,
        ),
    ] = None,
) -> None:
    """Find, train, quantise, build, flash, time and verify a network; results go to runs/NAME.

    The same command again resumes a stopped run; a changed setting recomputes only what depends on it. With
    method = "ofa" (experiments/ofa.toml) one supernet serves every board: --set board=B searches it again and trains
    nothing.
    """
    from rich.console import Console

    from tinynas.pipeline.progress import shown_progress
    from tinynas.pipeline.run import run_experiment as run_pipeline
    from tinynas.report.run_folder import load_run
    from tinynas.report.tables import front_table

    with shown_progress() as progress:
        overrides = [*(settings or []), *([] if finetune is None else [f"ofa.finetune.epochs={finetune}"])]
        folder = run_pipeline(experiment, overrides, progress, measurements=measurements, port=port)
    Console().print(front_table(load_run(folder)))
    print(f"model: {folder / 'model.tflite'}\nreport: {folder / 'report.html'}")
