"""Stage 5: the accuracy predictor, fitted on networks assembled from the library and finetuned for a few epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinynas.data.types import Dataset
from tinynas.distill.library import Library
from tinynas.nets.checkpoint import save_network
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.files import read_json, write_json
from tinynas.pipeline.jobs import TrainJob, run_jobs
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.pipeline.zero_shot import naswot
from tinynas.predict.fitting_nets import spread
from tinynas.predict.quality import AccuracyPredictor, Nets, fit, leave_one_out
from tinynas.space.layers import layers
from tinynas.space.netspec import NetSpec
from tinynas.space.space import Arch, SearchSpace

_VERSION = 1
_POOL = 1000  # distinct archs to choose from
_ZERO_SHOT_IMAGES = 32


def fit_predictor(context: Context, data: Dataset, library: Library, made: Output, reference: Output) -> Output:
    """The fitted predictor (predictor.json) and what it was fitted on (points.json); the board plays no part."""
    settings = {"predictor": context.experiment.predictor.model_dump(mode="json"), "seed": context.experiment.seed}
    key = StageKey("predictor", _VERSION, settings, {"library": made.digest, "reference": reference.digest})
    teacher = reference.folder / "network.npz"
    return context.stage(key, lambda folder: _fit(context, data, library, teacher, folder))


def load_predictor(output: Output) -> AccuracyPredictor:
    """The predictor of the stage's output."""
    return AccuracyPredictor.load(output.folder / "predictor.json")


def macs(spec: NetSpec) -> int:
    """Multiply-accumulates of one inference."""
    return sum(layer.macs for layer in layers(spec))


@dataclass(frozen=True)
class _Chosen:
    """Networks to finetune: the first `n_fit` fit the predictor, the rest judge it."""

    archs: tuple[Arch, ...]
    n_fit: int


def _fit(context: Context, data: Dataset, library: Library, teacher: Path, folder: Path) -> None:
    chosen = _choose(context, library)
    total = len(chosen.archs)
    context.progress.begin("predictor", "networks finetuned", total)
    jobs = [_job(context, library, teacher, folder, arch) for arch in chosen.archs]
    run_jobs(jobs, context.workers, lambda done, job: context.progress.advance(done, _note(job)))
    accuracies = [float(read_json(job.result)["accuracy_validation"]) for job in jobs]
    nets = _nets(context, data, library, chosen.archs, accuracies)
    predictor = _save(nets, chosen, len(library.space.resolutions), folder)
    context.progress.end(_result(predictor))
    if predictor.warning:
        context.progress.say(f"predictor: {predictor.warning}")


def _choose(context: Context, library: Library) -> _Chosen:
    """Spread in sum of NSR and diverse in MACs to fit; an unbiased draw from the rest to judge."""
    config, space = context.experiment.predictor, library.space
    rng = np.random.default_rng(derive_seed(context.experiment.seed, "predictor"))
    pool = _pool(space, rng)
    fitted = spread(
        [float(library.nsr_of(arch).sum()) for arch in pool],
        [float(macs(space.netspec(arch))) for arch in pool],
        config.n_fit,
    )
    rest = [index for index in rng.permutation(len(pool)).tolist() if index not in fitted]
    chosen = [*fitted, *rest[: config.n_heldout]]
    return _Chosen(tuple(pool[index] for index in chosen), len(fitted))


def _pool(space: SearchSpace, rng: np.random.Generator) -> list[Arch]:
    return list(dict.fromkeys(space.sample(rng) for _ in range(_POOL)))


def _job(context: Context, library: Library, teacher: Path, folder: Path, arch: Arch) -> TrainJob:
    """Assemble one network and describe its finetuning."""
    place = folder / "networks" / "-".join(map(str, arch))
    if not (place / "start.npz").exists():
        save_network(place / "start.npz", library.assemble(arch))
    seed = derive_seed(context.experiment.seed, "predictor", *arch)
    return TrainJob(place, context.experiment.data, context.experiment.predictor.finetune, seed, teacher)


def _note(job: TrainJob) -> str:
    return f"validation accuracy {read_json(job.result)['accuracy_validation']:.1%}"


def _nets(
    context: Context, data: Dataset, library: Library, archs: Sequence[Arch], accuracies: Sequence[float]
) -> Nets:
    """What the predictor sees of the networks, and the rivals it is compared with."""
    specs = [library.space.netspec(arch) for arch in archs]
    images = data.train.images[:_ZERO_SHOT_IMAGES]
    seed = derive_seed(context.experiment.seed, "zero_shot")
    rivals = {
        "macs": np.array([float(macs(spec)) for spec in specs]),
        "params": np.array([float(params(spec)) for spec in specs]),
        "zero_shot": np.array([naswot(spec, images, seed) for spec in specs]),
    }
    nsr = np.array([library.nsr_of(arch) for arch in archs])
    return Nets(nsr, np.array(accuracies), np.array([arch[0] for arch in archs]), rivals)


def params(spec: NetSpec) -> int:
    """Weights and biases, BatchNorm folded."""
    from tinynas.graph.lower import lower

    graph = lower(spec)
    return sum(tensor.elements for tensor in graph.tensors if tensor.name.endswith((".weight", ".bias")))


def _save(nets: Nets, chosen: _Chosen, n_resolutions: int, folder: Path) -> AccuracyPredictor:
    fits = np.arange(len(chosen.archs)) < chosen.n_fit
    train, held_out = nets.rows(fits), nets.rows(~fits)
    predictor = fit(train, n_resolutions, held_out if len(held_out.nsr) > 1 else None)
    blind = [*leave_one_out(train, n_resolutions), *predictor.predict(held_out.nsr, held_out.resolutions)]
    points = [
        {"arch": list(arch), "predicted": float(guess), "accuracy": float(accuracy), "heldout": index >= chosen.n_fit}
        for index, (arch, guess, accuracy) in enumerate(zip(chosen.archs, blind, nets.accuracy, strict=True))
    ]
    predictor.save(folder / "predictor.json")
    write_json(folder / "points.json", points)
    return predictor


def _result(predictor: AccuracyPredictor) -> str:
    held_out = predictor.kendall_tau_heldout
    tail = "" if held_out is None else f", {held_out:.2f} on {predictor.n_heldout} held out"
    return f"Kendall tau {predictor.kendall_tau_loo:.2f} leaving one of {predictor.n_fit} out{tail}"
