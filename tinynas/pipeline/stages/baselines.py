"""Stage 8: width-scaled MobileNetV2 nets, trained by the reference's recipe for the chosen net's number of epochs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinynas.data.types import Dataset
from tinynas.nets.checkpoint import save_network
from tinynas.nets.network import build_network
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.files import read_json
from tinynas.pipeline.following import run_followed
from tinynas.pipeline.jobs import TrainJob
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.space.mobilenet import scaled_mobilenet_v2
from tinynas.space.netspec import NetSpec
from tinynas.train.config import TrainConfig

_VERSION = 1


@dataclass(frozen=True)
class Baseline:
    """A trained MobileNetV2."""

    name: str
    width: float
    accuracy_validation: float
    network: Path  # checkpoint


def train_baselines(context: Context, data: Dataset) -> Output:
    """One checkpoint per width."""
    settings = {
        "baselines": context.experiment.baselines.model_dump(mode="json"),
        "training": _recipe(context).model_dump(mode="json"),
        "data": data.sha256,
        "seed": context.experiment.seed,
    }
    return context.stage(StageKey("baselines", _VERSION, settings), lambda folder: _train(context, data, folder))


def load_baselines(context: Context, output: Output) -> list[Baseline]:
    """The baselines of the stage's output, in the experiment's order."""
    return [
        Baseline(
            f"MobileNetV2 x{width:g}",
            width,
            float(read_json(_place(output.folder, width) / "trained.json")["accuracy_validation"]),
            _place(output.folder, width) / "network.npz",
        )
        for width in context.experiment.baselines.widths
    ]


def baseline_spec(data: Dataset, width: float) -> NetSpec:
    """MobileNetV2 at `width`, for images of the data's own size."""
    side, _, channels = data.input_shape
    return scaled_mobilenet_v2(width, side, channels, len(data.classes))


def _recipe(context: Context) -> TrainConfig:
    return context.experiment.reference.training.model_copy(
        update={"epochs": context.experiment.finetune.chosen_epochs}
    )


def _train(context: Context, data: Dataset, folder: Path) -> None:
    widths, epochs = context.experiment.baselines.widths, _recipe(context).epochs
    context.progress.begin("baselines", "epochs of MobileNetV2 nets", len(widths) * epochs)
    jobs = [_job(context, data, folder, width) for width in sorted(widths, reverse=True)]  # slowest first
    run_followed(jobs, context.workers, context.progress)
    context.meter.trained(len(jobs), len(jobs) * epochs)
    scores = [read_json(job.result)["accuracy_validation"] for job in jobs]
    context.progress.end(f"validation accuracy {', '.join(f'{score:.1%}' for score in reversed(scores))}")


def _job(context: Context, data: Dataset, folder: Path, width: float) -> TrainJob:
    seed = derive_seed(context.experiment.seed, "baselines", str(width))
    experiment = context.experiment
    job = TrainJob(_place(folder, width), experiment.data, _recipe(context), seed, hardware=experiment.hardware)
    if not (job.folder / "start.npz").exists():
        save_network(job.folder / "start.npz", build_network(baseline_spec(data, width), seed))
    return job


def _place(folder: Path, width: float) -> Path:
    return folder / f"width-{width:g}"
