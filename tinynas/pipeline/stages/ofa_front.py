"""Once-for-All, stage 6: the front's subnets as networks of their own, trained further only where that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinynas.nets.checkpoint import save_network
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed, digest
from tinynas.pipeline.files import read_json, write_json
from tinynas.pipeline.following import run_followed
from tinynas.pipeline.jobs import TrainJob
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.space.elastic import ElasticSpace
from tinynas.space.space import Arch
from tinynas.train.shrinking_subnets import Subnets

_VERSION = 1


def extract_front(context: Context, space: ElasticSpace, subnets: Subnets, supernet: Output, found: Output) -> Output:
    """front.json and a checkpoint of every network in it, in the form of `finetune.finetune_front`."""
    finetune = context.experiment.ofa.finetune
    settings: dict[str, Any] = {"seed": context.experiment.seed, "finetune": None}
    if finetune.epochs:
        settings["finetune"] = finetune.model_dump(mode="json")
    rows = _front_rows(found)
    # by what the search found, not by what made it: a planner that changes nothing there costs no training
    key = StageKey("ofa_front", _VERSION, settings, {"supernet": supernet.digest, "ofa_search": digest(rows)})
    work = _Work(context, space, subnets, supernet.folder / "network.npz")
    return context.stage(key, lambda folder: work.run(rows, folder))


def _front_rows(found: Output) -> list[dict[str, Any]]:
    """Of the search's candidates, those on its front by ascending latency."""
    candidates = read_json(found.folder / "candidates.json")
    return sorted((row for row in candidates if row["on_front"]), key=lambda row: float(row["latency_us"]))


@dataclass(frozen=True)
class _Work:
    context: Context
    space: ElasticSpace
    subnets: Subnets
    teacher: Path  # the largest subnet

    def run(self, rows: list[dict[str, Any]], folder: Path) -> None:
        progress, epochs = self.context.progress, self.context.experiment.ofa.finetune.epochs
        progress.begin("ofa_front", "epochs of finetuning" if epochs else "networks", len(rows) * max(epochs, 1))
        for row in rows:
            place = _place(folder, tuple(row["arch"]))
            if not (place / "start.npz").exists():
                network = self.subnets.network(self.space.netspec(tuple(row["arch"])))
                save_network(place / "start.npz", network)
        if epochs:
            self._finetune([tuple(row["arch"]) for row in rows], folder)
        front = [self._entry(row, folder) for row in rows]
        best = max(front, key=lambda entry: (entry["accuracy_validation"], -entry["latency_us"]))
        write_json(folder / "front.json", [entry | {"chosen": entry is best} for entry in front])
        progress.end(f"{len(front)} on the front; chosen: validation accuracy {best['accuracy_validation']:.1%}")

    def _finetune(self, archs: list[Arch], folder: Path) -> None:
        config, experiment = self.context.experiment.ofa.finetune, self.context.experiment
        jobs = [
            TrainJob(
                _place(folder, arch),
                experiment.data,
                config,
                derive_seed(experiment.seed, "ofa_front", *arch),
                self.teacher,
                experiment.hardware,
            )
            for arch in archs
        ]
        run_followed(jobs, self.context.workers, self.context.progress)
        self.context.meter.trained(len(jobs), len(jobs) * config.epochs)

    def _entry(self, row: dict[str, Any], folder: Path) -> dict[str, Any]:
        """A network as it is, or as its training left it where that is better on the validation split."""
        place = _place(folder, tuple(row["arch"]))
        entry = {name: row[name] for name in ("arch", "accuracy_validation", "predicted_accuracy", "latency_us")}
        entry["network"] = str((place / "start.npz").relative_to(folder))
        if (place / "trained.json").exists():
            trained = float(read_json(place / "trained.json")["accuracy_validation"])
            if trained >= row["accuracy_validation"]:
                entry |= {
                    "accuracy_validation": trained,
                    "network": str((place / "network.npz").relative_to(folder)),
                }
        return entry


def _place(folder: Path, arch: Arch) -> Path:
    return folder / "networks" / "-".join(map(str, arch))
