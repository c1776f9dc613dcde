"""NSGA-II's candidates for one seed: predicted accuracy, measured latency, SRAM and flash."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from experiments.setting import Setting
from tinynas.lab.runtime_size import runtime_size
from tinynas.pipeline.files import read_json
from tinynas.pipeline.stages.search import run_search
from tinynas.predict.quality import AccuracyPredictor
from tinynas.space.space import Arch


@dataclass(frozen=True)
class Searched:
    """A candidate that was measured."""

    arch: Arch
    predicted_accuracy: float
    latency_us: float
    peak_sram_bytes: int
    flash_bytes: int
    on_front: bool

    def as_json(self) -> dict[str, Any]:
        """For the results' files."""
        return {**asdict(self), "arch": list(self.arch)}


def searched(setting: Setting, runs: Path, seed: int) -> list[Searched]:
    """All candidates that a search with this seed measured, by the predictor that `predictor_quality` left."""
    context = replace(setting.context, experiment=setting.experiment.model_copy(update={"seed": seed}))
    predictor = AccuracyPredictor.load(predictor_file(runs, setting))
    upstream = {"library": setting.made.digest, "predictor": predictor.model_dump_json()}
    runtime = runtime_size(context.board)
    output = run_search(context, setting.data, setting.features, predictor, runtime, upstream)
    rows = read_json(output.folder / "candidates.json")
    names = list(Searched.__dataclass_fields__)
    return [Searched(**{**{name: row[name] for name in names}, "arch": tuple(row["arch"])}) for row in rows]


def predictor_file(runs: Path, setting: Setting) -> Path:
    """Where `predictor_quality` leaves the predictor."""
    return runs / f"{setting.experiment.name}-predictor.json"
