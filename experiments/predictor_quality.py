"""How well does DONNA's predictor rank networks that it was not fitted on, and how well could anything?

    python -m experiments.predictor_quality --runs runs --seeds 0 1

Finetunes the networks that the predictor is fitted on (spread in quality, diverse in cost) and others, drawn uniformly,
that judge it, each once per seed. Writes the features and accuracies of both.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.nets import from_library, train_all
from experiments.options import Options, study_options
from experiments.searched import predictor_file
from experiments.setting import Setting, make_context, prepare
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.features import as_nets, macs
from tinynas.pipeline.files import write_json
from tinynas.pipeline.jobs import TrainJob
from tinynas.predict.fitting_nets import spread
from tinynas.predict.nets import Floats, Nets
from tinynas.predict.noise import noise_ceiling
from tinynas.predict.quality import fit, leave_one_out
from tinynas.space.space import Arch

_POOL = 2000
_UNIFORM_SHARE = 2 / 3  # of the networks that are fitted by the rule, as many again drawn uniformly
_LOOKED_AT = 64  # uniform ones that judged earlier forms of the predictor: they neither fit nor judge this one
FITTING, HELD_OUT = "fitting", "heldout"


def choose(setting: Setting) -> dict[str, list[Arch]]:
    """Networks to fit by the rule of `fitting_nets` and some drawn uniformly, and other uniform ones to judge by.

    The uniform ones that are fitted were the first to judge by, and `_LOOKED_AT` others the second and third, while the
    predictor's form was still being changed; those that judge now were trained after that.
    """
    config, library = setting.experiment.predictor, setting.library
    rng = np.random.default_rng(derive_seed(setting.experiment.seed, "predictor-quality"))
    pool = list(dict.fromkeys(setting.space.sample(rng) for _ in range(_POOL)))
    quality = [float(library.nsr_of(arch).sum()) for arch in pool]
    fitted = spread(quality, [float(macs(setting.space.netspec(arch))) for arch in pool], config.n_fit)
    others = [index for index in rng.permutation(len(pool)).tolist() if index not in fitted]
    uniform = round(config.n_fit * _UNIFORM_SHARE)
    fresh = uniform + _LOOKED_AT
    return {
        FITTING: [pool[index] for index in [*fitted, *others[:uniform]]],
        HELD_OUT: [pool[index] for index in others[fresh : fresh + config.n_heldout]],
    }


def finetuned(
    setting: Setting, archs: Sequence[Arch], seeds: Sequence[int], what: str
) -> tuple[list[list[TrainJob]], Floats, float]:
    """The finetunings, per network one for each seed; their validation accuracies (n, seeds); CPU seconds they took."""
    config = setting.experiment.predictor.finetune
    jobs = [from_library(setting, arch, config, seed) for arch in archs for seed in seeds]
    trained = train_all(setting.context, what, jobs)
    scores = np.array([one.accuracy_validation for one in trained]).reshape(len(archs), len(seeds))
    rows = [jobs[index : index + len(seeds)] for index in range(0, len(jobs), len(seeds))]
    return rows, scores, sum(one.cpu_s for one in trained)


def main(options: Options) -> None:
    """Train what is missing; write the predictor, its data and how well it does."""
    context = make_context(options.experiment, options.overrides, options.runs, options.progress, options.workers)
    setting = prepare(context)
    nets, jobs, cpu_s, rows = {}, {}, {}, {}
    for part, archs in choose(setting).items():
        jobs[part], scores, cpu_s[part] = finetuned(setting, archs, options.seeds, part)
        nets[part] = as_nets(setting.features, archs, scores.mean(axis=1))
        rows[part] = _rows(archs, nets[part], scores)
    ceiling = noise_ceiling(np.array([[job.correct() for job in row] for row in jobs[HELD_OUT]]))
    resolutions = len(setting.space.resolutions)
    predictor = fit(nets[FITTING], resolutions, nets[HELD_OUT], ceiling)
    predictor.save(predictor_file(options.runs, setting))
    blind = {FITTING: leave_one_out(nets[FITTING], resolutions), HELD_OUT: predictor.predict_nets(nets[HELD_OUT])}
    for part, guesses in blind.items():
        found = [{**row, "predicted": float(guess)} for row, guess in zip(rows[part], guesses, strict=True)]
        write_json(options.runs / f"{context.experiment.name}-predictor-{part}.json", found)
    fewer = {
        str(count): _with_fewer(nets, count, resolutions) for count in (12, 16, 24, 32) if count < len(nets[FITTING])
    }
    result = {**predictor.summary(), "kendall_tau_heldout_with_fewer_fitted": fewer, "finetuning_cpu_s": cpu_s}
    write_json(options.runs / f"{context.experiment.name}-predictor-quality.json", result)
    options.progress.say(json.dumps(result, indent=1))


def _with_fewer(nets: dict[str, Nets], count: int, resolutions: int) -> float | None:
    """Held-out tau of a predictor fitted to every n-th of the fitting networks, in their order of quality."""
    chosen = np.zeros(len(nets[FITTING]), bool)
    chosen[np.linspace(0, len(chosen) - 1, count).round().astype(int)] = True
    return fit(nets[FITTING].rows(chosen), resolutions, nets[HELD_OUT]).kendall_tau_heldout


def _rows(archs: Sequence[Arch], nets: Nets, scores: Floats) -> list[dict[str, Any]]:
    return [
        {
            "arch": list(arch),
            "nsr": nets.nsr[index].tolist(),
            "accuracies": scores[index].tolist(),
            "gains": {name: column[index].tolist() for name, column in nets.gains.items()},
            "baselines": {name: float(column[index]) for name, column in nets.baselines.items()},
        }
        for index, arch in enumerate(archs)
    ]


if __name__ == "__main__":
    main(study_options(__doc__))
