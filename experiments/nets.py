"""Networks trained for the studies, each once: kept under the hash of all that decides its weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.setting import Setting
from tinynas.nets.checkpoint import save_network, spec_to_json
from tinynas.nets.network import build_network
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed, digest
from tinynas.pipeline.files import read_json
from tinynas.pipeline.jobs import TrainJob, run_jobs
from tinynas.space.netspec import NetSpec
from tinynas.space.space import Arch
from tinynas.train.config import TrainConfig


@dataclass(frozen=True)
class Trained:
    """A training that is done."""

    folder: Path
    accuracy_validation: float
    cpu_s: float  # of training and judging on the validation split

    @property
    def network(self) -> Path:
        return self.folder / "network.npz"

    @classmethod
    def load(cls, job: TrainJob) -> Trained:
        result = read_json(job.result)
        return cls(job.folder, float(result["accuracy_validation"]), float(result["train_cpu_s"]))


def from_library(setting: Setting, arch: Arch, config: TrainConfig, seed: int) -> TrainJob:
    """Finetuning of an arch that starts from its library blocks, taught by the reference."""
    labels: list[object] = ["library", setting.made.digest, list(arch)]
    job = _job(setting.context, labels, config, seed, setting.teacher)
    if not (job.folder / "start.npz").exists():
        save_network(job.folder / "start.npz", setting.library.assemble(arch))
    return job


def from_scratch(
    context: Context, spec: NetSpec, data_sha256: str, config: TrainConfig, seed: int, teacher: Path | None
) -> TrainJob:
    """Training of any network from initial weights drawn from `seed`."""
    taught = teacher.resolve().parent.name if teacher else ""
    job = _job(context, ["scratch", data_sha256, json.loads(spec_to_json(spec)), taught], config, seed, teacher)
    if not (job.folder / "start.npz").exists():
        save_network(job.folder / "start.npz", build_network(spec, derive_seed(seed, "start")))
    return job


def train_all(context: Context, what: str, jobs: Sequence[TrainJob]) -> list[Trained]:
    """All of `jobs`, side by side; one that was killed goes on at its last epoch."""
    progress = context.progress
    progress.begin(what, "networks trained", len(jobs))
    run_jobs(jobs, context.workers, lambda done, job: progress.advance(done, _note(job)))
    done = [Trained.load(job) for job in jobs]
    progress.end(f"{sum(trained.cpu_s for trained in done):.0f} CPU seconds")
    return done


def _job(context: Context, labels: list[object], config: TrainConfig, seed: int, teacher: Path | None) -> TrainJob:
    name = digest([*labels, config.model_dump(mode="json"), seed])
    folder = context.folder / "nets" / name
    folder.mkdir(parents=True, exist_ok=True)
    experiment = context.experiment
    return TrainJob(folder, experiment.data, config, derive_seed(seed, "training"), teacher, experiment.hardware)


def _note(job: TrainJob) -> str:
    return f"validation accuracy {Trained.load(job).accuracy_validation:.1%}"
