"""Once-for-All, stage 3: the accuracy predictor, fitted to subnets judged on the validation split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.features import macs, params
from tinynas.pipeline.files import read_json, write_json
from tinynas.pipeline.judging import judge_subnets
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.predict.mlp import Mlp, SubnetPredictor, encode, fit_mlp, judged
from tinynas.space.elastic import ElasticSpace
from tinynas.space.space import Arch

_VERSION = 1


def fit_subnet_predictor(context: Context, space: ElasticSpace, supernet: Output) -> Output:
    """mlp.npz; predictor.json: how good it is; points.json: what it was fitted to and judged on."""
    settings = {"predictor": context.experiment.ofa.predictor.model_dump(mode="json"), "seed": context.experiment.seed}
    key = StageKey("ofa_predictor", _VERSION, settings, {"supernet": supernet.digest})
    return context.stage(key, lambda folder: _fit(context, space, supernet, folder))


def load_subnet_predictor(output: Output) -> tuple[Mlp, SubnetPredictor]:
    """The predictor, and how good it is."""
    facts = SubnetPredictor.model_validate(read_json(output.folder / "predictor.json"))
    return Mlp.load(output.folder / "mlp.npz"), facts


def _fit(context: Context, space: ElasticSpace, supernet: Output, folder: Path) -> None:
    config, progress = context.experiment.ofa.predictor, context.progress
    archs = _draw(space, config.n_fit + config.n_heldout, derive_seed(context.experiment.seed, "ofa_predictor"))
    progress.begin("ofa_predictor", "subnets judged", len(archs))
    accuracy = judge_subnets(context, supernet, archs, folder, progress.advance)
    features = encode(space, archs)
    n_fit = len(archs) - min(config.n_heldout, len(archs) // 2)
    mlp = fit_mlp(features[:n_fit], accuracy[:n_fit], config.mlp, derive_seed(context.experiment.seed, "mlp"))
    guess = mlp.predict(features)
    facts = judged(guess[n_fit:], accuracy[n_fit:], _rivals(space, archs[n_fit:]), n_fit)
    mlp.save(folder / "mlp.npz")
    write_json(folder / "predictor.json", facts.model_dump(mode="json"))
    write_json(folder / "points.json", _points(space, archs, guess, accuracy, n_fit))
    progress.end(
        f"Kendall tau {facts.kendall_tau_heldout:.2f} and RMSE {facts.rmse_heldout * 100:.2f} points on "
        f"{facts.n_heldout} held-out subnets"
    )
    if facts.warning:
        progress.say(f"predictor: {facts.warning}")


def _draw(space: ElasticSpace, count: int, seed: int) -> list[Arch]:
    """Distinct archs, as many as there are; the extremes first, so that the predictor need not guess beyond them."""
    rng = np.random.default_rng(seed)
    archs = dict.fromkeys((space.largest(), space.smallest()))
    for _ in range(20 * count):
        if len(archs) >= min(count, space.size):
            break
        archs[space.sample(rng)] = None
    return list(archs)


def _rivals(space: ElasticSpace, archs: Sequence[Arch]) -> dict[str, NDArray[np.float64]]:
    specs = [space.netspec(arch) for arch in archs]
    return {
        "macs": np.array([float(macs(spec)) for spec in specs]),
        "params": np.array([float(params(spec)) for spec in specs]),
    }


def _points(
    space: ElasticSpace,
    archs: Sequence[Arch],
    guess: NDArray[np.float64],
    accuracy: NDArray[np.float64],
    n_fit: int,
) -> list[dict[str, object]]:
    rows = zip(archs, guess, accuracy, strict=True)
    return [
        {
            "arch": list(arch),
            "name": space.label(arch),
            "predicted": float(predicted),
            "accuracy": float(found),
            "heldout": index >= n_fit,
        }
        for index, (arch, predicted, found) in enumerate(rows)
    ]
