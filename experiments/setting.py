"""What the studies share: data, reference and block library of an experiment file, made once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tinynas.data.types import Dataset
from tinynas.distill.library import Library
from tinynas.lab.board import load_board
from tinynas.pipeline.config import Experiment, load_experiment
from tinynas.pipeline.context import Context
from tinynas.pipeline.features import Features
from tinynas.pipeline.progress import Progress
from tinynas.pipeline.stage_store import Output, StageStore
from tinynas.pipeline.stages.data import load_data
from tinynas.pipeline.stages.library import load_library, make_library
from tinynas.pipeline.stages.predictor import open_features
from tinynas.pipeline.stages.reference import load_reference, train_reference
from tinynas.space.space import SearchSpace


@dataclass(frozen=True)
class Setting:
    """An experiment up to its block library."""

    context: Context
    data: Dataset
    space: SearchSpace
    reference: Output
    made: Output  # the library's folder and hash
    library: Library

    @property
    def experiment(self) -> Experiment:
        return self.context.experiment

    @cached_property
    def features(self) -> Features:
        """What predictors see of the library's networks."""
        return open_features(self.context, self.library, self.made, self.reference)

    @property
    def teacher(self) -> Path:
        """The reference's checkpoint."""
        return self.reference.folder / "network.npz"


def make_context(file: Path, overrides: list[str], runs: Path, progress: Progress, workers: int) -> Context:
    """The context of the stages of `file`; outputs go to `runs`/.stages, links to `runs`/<name>."""
    experiment = load_experiment(file, overrides)
    return Context(
        experiment=experiment,
        board=load_board(experiment.board),
        folder=runs / experiment.name,
        store=StageStore(runs / ".stages"),
        measurements=f"sqlite:///{runs / 'measurements.db'}",
        progress=progress,
        workers=workers,
        threads=1,
    )


def prepare(context: Context) -> Setting:
    """Data, reference and library; what is there already is kept."""
    data = load_data(context)
    channels = data.input_shape[2]
    space = context.experiment.space.with_changes(channels=channels, classes=len(data.classes))
    reference = train_reference(context, data, space)
    made = make_library(context, data, space, reference)
    return Setting(context, data, space, reference, made, load_library(made, space, load_reference(reference)))
