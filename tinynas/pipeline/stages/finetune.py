"""Stage 7: networks of the search's front, finetuned end to end from their library blocks, the reference as teacher.

The best of them on the validation split becomes the chosen network and is trained further. What another search from
the same library has had finetuned is taken over: boards often come to the same networks.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinynas.distill.library import Library
from tinynas.errors import StoreError
from tinynas.nets.checkpoint import save_network
from tinynas.nets.network import build_network
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.files import read_json, write_json
from tinynas.pipeline.finetuning_order import finetuning_order, non_dominated_of
from tinynas.pipeline.following import run_followed
from tinynas.pipeline.jobs import TrainJob, noted_epochs
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.pipeline.stages.search import Found
from tinynas.space.space import Arch
from tinynas.train.config import TrainConfig

_VERSION = 3
_FOLLOWED_IMAGES = 1000  # of the validation split at most, that trainings are judged on after every epoch
_TAKEN_OVER = "taken-over.json"  # beside a training that was done for another search: for which
_MORE = 2  # networks finetuned at a time when the front is still short; the result depends on it


@dataclass(frozen=True)
class Finetuned:
    """A network of the front after finetuning."""

    arch: Arch
    accuracy_validation: float  # of the float network
    predicted_accuracy: float
    latency_us: float  # measured
    network: Path  # checkpoint
    chosen: bool


def finetune_front(context: Context, library: Library, found: Output, reference: Output) -> Output:
    """front.json and a checkpoint of every network in it."""
    settings = {"finetune": context.experiment.finetune.model_dump(mode="json"), "seed": context.experiment.seed}
    # by what the search found, not by what made it: a planner that changes nothing there costs no training
    upstream = {"library": found.key.upstream["library"], "search": Found.load(found).digest}
    key = StageKey("finetune", _VERSION, settings, upstream | {"reference": reference.digest})
    alike = context.store.alike(key, "search")
    work = _Work(context, library, reference.folder / "network.npz", alike)
    return context.stage(key, lambda folder: work.run(Found.load(found), folder))


def load_finetuned(output: Output) -> list[Finetuned]:
    """The front by ascending latency."""
    return [
        Finetuned(**row | {"arch": tuple(row["arch"]), "network": output.folder / row["network"]})
        for row in read_json(output.folder / "front.json")
    ]


@dataclass(frozen=True)
class _Work:
    context: Context
    library: Library
    teacher: Path
    alike: Sequence[Path] = ()  # outputs of this stage for other searches

    def run(self, found: Found, folder: Path) -> None:
        config, progress = self.context.experiment.finetune, self.context.progress
        order = finetuning_order(found, config.networks)
        progress.begin("finetune", "epochs of finetuning", self._epochs_of(min(config.networks, len(order))))
        trained, kept = self._front(order, found, folder)
        best = max(kept, key=lambda arch: (self._score(folder, arch), -found.latency_us[arch]))
        before = trained * config.front.epochs
        self._continue(best, folder, before)
        self._scratch(best, folder, before + config.chosen.epochs)
        rows = [self._row(arch, found, folder, arch == best) for arch in sorted(kept, key=found.latency_us.__getitem__)]
        write_json(folder / "front.json", rows)
        write_json(folder / "epochs.json", self._epochs(best, folder))
        self._tell_cost(folder)
        if taken := len(list(folder.glob(f"*/*/{_TAKEN_OVER}"))):
            progress.say(f"finetune: {taken} trainings taken over from other searches with this library")
        score = next(row["accuracy_validation"] for row in rows if row["chosen"])
        progress.end(f"{len(rows)} on the front; chosen: {self.library.space.label(best)}, validation {score:.1%}")

    def _front(self, order: Sequence[Arch], found: Found, folder: Path) -> tuple[int, list[Arch]]:
        """Finetune in order until enough are not dominated, in validation accuracy and the search's costs.

        Returns the number of networks finetuned, and those that are not dominated.
        """
        config = self.context.experiment.finetune
        trained: list[Arch] = []
        kept: list[Arch] = []
        wanted = config.networks
        most = min(len(order), config.max_networks)
        while len(kept) < config.front_entries and len(trained) < most:
            part = order[len(trained) : min(wanted, most)]
            self.context.progress.expect(self._epochs_of(len(trained) + len(part)))
            self._train(part, folder, len(trained))
            trained += part
            kept = non_dominated_of(trained, [(1 - self._score(folder, a), *found.costs[a]) for a in trained])
            wanted = len(trained) + _MORE
        return len(trained), kept

    def _epochs_of(self, networks: int) -> int:
        """Of the whole stage, where so many networks are finetuned before one is chosen."""
        config = self.context.experiment.finetune
        return networks * config.front.epochs + config.chosen.epochs + (config.scratch.epochs if config.scratch else 0)

    def _train(self, archs: Sequence[Arch], folder: Path, before: int) -> None:
        """With `before` networks finetuned already."""
        config = self.context.experiment.finetune.front
        jobs = [self._job(arch, config, folder) for arch in archs]
        run_followed(jobs, self.context.workers, self.context.progress, before * config.epochs)

    def _opened(self, folder: Path, part: str, arch: Arch) -> Path:
        """Where a training of `arch` is or will be; with what came of the same one for another search."""
        place = _place(folder, part, arch)
        done = [there for other in self.alike if _finished(there := _place(other, part, arch))]
        if done and not place.exists():
            copy = place.with_name(f".{place.name}.partial")
            shutil.copytree(done[0], copy, dirs_exist_ok=True)
            write_json(copy / _TAKEN_OVER, {"from": done[0].parents[1].name})
            copy.rename(place)
        place.mkdir(parents=True, exist_ok=True)
        return place

    def _job(self, arch: Arch, config: TrainConfig, folder: Path) -> TrainJob:
        experiment, seed = self.context.experiment, self._seed(arch)
        place = self._opened(folder, "networks", arch)
        job = TrainJob(
            place, experiment.data, config, seed, self.teacher, experiment.hardware, followed_images=_FOLLOWED_IMAGES
        )
        if not (job.folder / "start.npz").exists():
            save_network(job.folder / "start.npz", self.library.assemble(arch))
        return job

    def _continue(self, arch: Arch, folder: Path, before: int) -> None:
        """Train the chosen network further, from where its finetuning left it."""
        place = self._opened(folder, "chosen", arch)
        shutil.copyfile(_place(folder, "networks", arch) / "network.npz", place / "start.npz")
        job = TrainJob(
            place,
            self.context.experiment.data,
            self.context.experiment.finetune.chosen,
            self._seed(arch, "chosen"),
            self.teacher,
            self.context.experiment.hardware,
            self.context.threads,
            _FOLLOWED_IMAGES,
        )
        run_followed([job], 1, self.context.progress, before)

    def _scratch(self, arch: Arch, folder: Path, before: int) -> None:
        """Train the chosen network from nothing as well, where it is asked for."""
        settings, config = self.context.experiment, self.context.experiment.finetune.scratch
        if config is None:
            return
        place, seed = self._opened(folder, "scratch", arch), self._seed(arch, "scratch")
        if not (place / "start.npz").exists():
            save_network(place / "start.npz", build_network(self.library.space.netspec(arch), seed))
        threads, followed = self.context.threads, _FOLLOWED_IMAGES
        job = TrainJob(place, settings.data, config, seed, None, settings.hardware, threads, followed)
        run_followed([job], 1, self.context.progress, before)

    def _epochs(self, arch: Arch, folder: Path) -> dict[str, object]:
        """The chosen network's accuracy epoch by epoch, and when it reached what training from scratch ends with."""
        config = self.context.experiment.finetune
        places = [(_place(folder, "networks", arch), config.front), (_place(folder, "chosen", arch), config.chosen)]
        curve = [score for place, recipe in places for score in _curve(place, recipe)]
        if config.scratch is None:
            return {"finetuned": curve, "scratch": None, "epochs_to_scratch_accuracy": None}
        alone = _place(folder, "scratch", arch)
        scratch = _curve(alone, config.scratch)
        reached = next((number for number, score in enumerate(curve, 1) if score >= scratch[-1]), None)
        return {
            "finetuned": curve,
            "scratch": scratch,
            "scratch_accuracy_validation": _accuracy(alone),
            "epochs_to_scratch_accuracy": reached,
        }

    def _tell_cost(self, folder: Path) -> None:
        """Of what was trained here: the chosen network goes on with a training that is counted already."""
        config = self.context.experiment.finetune
        recipes = {"networks": config.front, "chosen": config.chosen, "scratch": config.scratch}
        done = {part: _trained_here(folder / part) for part in recipes}
        epochs = sum(done[part] * recipe.epochs for part, recipe in recipes.items() if recipe)
        self.context.meter.trained(done["networks"] + done["scratch"], epochs)

    def _chosen_place(self, folder: Path, arch: Arch) -> Path:
        """Further trained or not, whichever is better on validation: so it stays on the front."""
        before, after = (_place(folder, part, arch) for part in ("networks", "chosen"))
        return after if _accuracy(after) >= _accuracy(before) else before

    def _seed(self, arch: Arch, *labels: str) -> int:
        return derive_seed(self.context.experiment.seed, "finetune", *labels, *arch)

    def _score(self, folder: Path, arch: Arch) -> float:
        return _accuracy(_place(folder, "networks", arch))

    def _row(self, arch: Arch, found: Found, folder: Path, chosen: bool) -> dict[str, object]:
        place = self._chosen_place(folder, arch) if chosen else _place(folder, "networks", arch)
        return {
            "arch": list(arch),
            "accuracy_validation": _accuracy(place),
            "predicted_accuracy": found.predicted_accuracy[arch],
            "latency_us": found.latency_us[arch],
            "network": str((place / "network.npz").relative_to(folder)),
            "chosen": chosen,
        }


def _place(folder: Path, part: str, arch: Arch) -> Path:
    """Of a training: `part` is "networks" (of the front), "chosen" (further) or "scratch"."""
    return folder / part / "-".join(map(str, arch))


def _finished(place: Path) -> bool:
    """Whether a training is done; older versions kept no notes that could be read here."""
    return (place / "trained.json").exists() and bool(noted_epochs(place))


def _trained_here(folder: Path) -> int:
    return sum(not (file.parent / _TAKEN_OVER).exists() for file in folder.glob("*/trained.json"))


def _curve(place: Path, recipe: TrainConfig) -> list[float]:
    """Accuracy on the followed images after every epoch."""
    noted = noted_epochs(place)
    scores = [noted.get(epoch) for epoch in range(1, recipe.epochs + 1)]
    known = [score for score in scores if score is not None]
    if len(known) < len(scores):
        missing = scores.index(None) + 1
        raise StoreError(
            f"{place}: no accuracy was kept of epoch {missing} of {len(scores)}; remove that folder and run the same "
            "command again: this network is trained anew"
        )
    return known


def _accuracy(place: Path) -> float:
    return float(read_json(place / "trained.json")["accuracy_validation"])
