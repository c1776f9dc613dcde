"""Stage 9: trained networks to int8, with the accuracies that are reported. The test split is read here only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinynas.data.types import Dataset
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.files import read_json
from tinynas.pipeline.jobs import Int8Job, run_jobs
from tinynas.pipeline.stage_store import Output, StageKey

_VERSION = 1


@dataclass(frozen=True)
class Int8Network:
    """A quantised network and its accuracies on the test split, as fractions of 1."""

    model: bytes  # .tflite
    accuracy_float: float
    accuracy_int8: float  # on the host, as TFLite Micro computes


def quantise_networks(
    context: Context, data: Dataset, group: str, networks: Mapping[str, Path], upstream: Mapping[str, str]
) -> dict[str, Int8Network]:
    """Each of the checkpoints by its name. `group` names the stage, `upstream` what the checkpoints came from."""
    settings = {
        "quantise": context.experiment.quantise.model_dump(mode="json", exclude={"candidate_images"}),
        "data": data.sha256,
        "seed": context.experiment.seed,
    }
    key = StageKey(f"quantise_{group}", _VERSION, settings, upstream)
    output = context.stage(key, lambda folder: _quantise(context, group, networks, folder))
    return {name: _load(output, name) for name in networks}


def _quantise(context: Context, group: str, networks: Mapping[str, Path], folder: Path) -> None:
    seed = derive_seed(context.experiment.seed, "quantise")
    count = context.experiment.quantise.calibration_images
    context.progress.begin(f"quantise_{group}", "networks made int8 and tested", len(networks))
    jobs = [Int8Job(folder / name, network, context.experiment.data, count, seed) for name, network in networks.items()]
    run_jobs(jobs, context.workers, lambda done, job: context.progress.advance(done, job.folder.name))
    losses = [scores["accuracy_float"] - scores["accuracy_int8"] for scores in (read_json(job.result) for job in jobs)]
    context.progress.end(f"int8 costs {max(losses) * 100:+.1f} points of accuracy at most")


def _load(output: Output, name: str) -> Int8Network:
    scores = read_json(output.folder / name / "int8.json")
    model = (output.folder / name / "model.tflite").read_bytes()
    return Int8Network(model, scores["accuracy_float"], scores["accuracy_int8"])
