"""Stage 5: the accuracy predictor, fitted on networks assembled from the library and finetuned for a few epochs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinynas.distill.library import Library
from tinynas.nets.checkpoint import save_network
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed, digest
from tinynas.pipeline.features import Features, as_nets, macs
from tinynas.pipeline.files import read_json, write_json
from tinynas.pipeline.jobs import TrainJob, run_jobs
from tinynas.pipeline.scoring import Scored
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.predict.fitting_nets import spread
from tinynas.predict.nets import Floats, Nets
from tinynas.predict.noise import Ceiling, noise_ceiling
from tinynas.predict.quality import AccuracyPredictor, fit, leave_one_out
from tinynas.space.space import Arch, SearchSpace

_VERSION = 4
_SCORES_VERSION = 1  # raised when networks come to be scored otherwise
_POOL = 1000  # distinct archs to choose from


def fit_predictor(context: Context, features: Features, made: Output, reference: Output) -> Output:
    """The fitted predictor (predictor.json) and what it was fitted on (points.json); the board plays no part."""
    settings = {"predictor": context.experiment.predictor.model_dump(mode="json"), "seed": context.experiment.seed}
    key = StageKey("predictor", _VERSION, settings, {"library": made.digest, "reference": reference.digest})
    teacher = reference.folder / "network.npz"
    return context.stage(key, lambda folder: _fit(context, features, teacher, folder))


def open_features(context: Context, library: Library, made: Output, reference: Output) -> Features:
    """What the predictor sees of networks; all runs that share the library share what is computed of them."""
    seed = derive_seed(context.experiment.seed, "zero_shot")
    scored = Scored(made.folder, reference.folder / "network.npz", library.space, context.experiment.data, seed)
    folder = context.store.root / f"scores-{digest([_SCORES_VERSION, made.digest, seed])}"
    return Features(library, scored, folder, context.workers)


def load_predictor(output: Output) -> AccuracyPredictor:
    """The predictor of the stage's output."""
    return AccuracyPredictor.load(output.folder / "predictor.json")


@dataclass(frozen=True)
class _Chosen:
    """Networks to finetune: the first `n_fit` fit the predictor, the rest judge it."""

    archs: tuple[Arch, ...]
    n_fit: int


def _fit(context: Context, features: Features, teacher: Path, folder: Path) -> None:
    library = features.library
    chosen, seeds = _choose(context, library), context.experiment.predictor.seeds
    context.progress.begin("predictor", "networks finetuned", len(chosen.archs) * seeds)
    jobs = [_job(context, library, teacher, folder, arch, run) for arch in chosen.archs for run in range(seeds)]
    run_jobs(jobs, context.workers, lambda done, job: context.progress.advance(done, _note(job)))
    context.meter.trained(len(jobs), len(jobs) * context.experiment.predictor.finetune.epochs)
    scores = np.array([float(read_json(job.result)["accuracy_validation"]) for job in jobs]).reshape(-1, seeds)
    nets = as_nets(features, chosen.archs, scores.mean(axis=1))
    judges = range(len(jobs)) if len(chosen.archs) - chosen.n_fit < 2 else range(chosen.n_fit * seeds, len(jobs))
    correct = np.array([jobs[index].correct() for index in judges])
    ceiling = noise_ceiling(correct.reshape(-1, seeds, correct.shape[-1]))  # of those that judge the predictor
    predictor = _save(library.space, nets, scores, ceiling, chosen, folder)
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


def _job(context: Context, library: Library, teacher: Path, folder: Path, arch: Arch, run: int) -> TrainJob:
    """Assemble one network and describe its finetuning number `run`: they differ in their seed."""
    place = folder / "networks" / f"{'-'.join(map(str, arch))}.{run}"
    if not (place / "start.npz").exists():
        save_network(place / "start.npz", library.assemble(arch))
    seed = derive_seed(context.experiment.seed, "predictor", run, *arch)
    return TrainJob(
        place,
        context.experiment.data,
        context.experiment.predictor.finetune,
        seed,
        teacher,
        context.experiment.hardware,
    )


def _note(job: TrainJob) -> str:
    return f"validation accuracy {read_json(job.result)['accuracy_validation']:.1%}"


def _save(
    space: SearchSpace, nets: Nets, scores: Floats, ceiling: Ceiling, chosen: _Chosen, folder: Path
) -> AccuracyPredictor:
    fits = np.arange(len(chosen.archs)) < chosen.n_fit
    train, held_out = nets.rows(fits), nets.rows(~fits)
    predictor = fit(train, len(space.resolutions), held_out if len(held_out) > 1 else None, ceiling)
    blind = [*leave_one_out(train, len(space.resolutions)), *predictor.predict_nets(held_out)]
    points = [
        {
            "arch": list(arch),
            "name": space.label(arch),
            "predicted": float(blind[index]),
            "accuracy": float(nets.accuracy[index]),
            "accuracies": scores[index].tolist(),
            "heldout": index >= chosen.n_fit,
            "nsr": nets.nsr[index].tolist(),
            "resolution": int(nets.resolutions[index]),
            "gains": {name: values[index].tolist() for name, values in nets.gains.items()},
            "baselines": {name: float(column[index]) for name, column in nets.baselines.items()},
        }
        for index, arch in enumerate(chosen.archs)
    ]
    predictor.save(folder / "predictor.json")
    write_json(folder / "points.json", points)
    return predictor


def _result(predictor: AccuracyPredictor) -> str:
    """Kendall tau, mean squared error and n, beside every baseline's tau on the same networks."""
    tau, error, n, rivals = predictor.kendall_tau_loo, predictor.loo_mse, predictor.n_fit, predictor.baselines
    where = f"leaving one of {n} out"
    if predictor.kendall_tau_heldout is not None and predictor.heldout_mse is not None:
        tau, error, rivals = predictor.kendall_tau_heldout, predictor.heldout_mse, predictor.baselines_heldout
        where = f"on {predictor.n_heldout} held out, fitted on {n}"
    others = ", ".join(f"{name} {rival:.2f}" for name, rival in rivals.items())
    limit = "" if predictor.ceiling is None else f"; noise allows {predictor.ceiling.tau_of_truth:.2f}"
    main = max(predictor.models, key=predictor.models.__getitem__)
    return f"mostly {main}: Kendall tau {tau:.2f}, MSE {error:.1e} {where} ({others}{limit})"
