"""How well does DONNA's predictor rank networks that it was not fitted on, and how well could anything?

    python -m experiments.predictor_quality --runs runs --seeds 0 1

Finetunes the networks that the predictor is fitted on (spread in quality, diverse in cost) and others, drawn uniformly,
that judge it, each once per seed. Writes the features and accuracies of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.nets import from_library, train_all
from experiments.options import Options, study_options
from experiments.setting import Setting, make_context, prepare
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.files import write_json
from tinynas.pipeline.stages.predictor import macs, params
from tinynas.pipeline.zero_shot import naswot
from tinynas.predict.fitting_nets import spread
from tinynas.space.space import Arch

_POOL = 2000
_ZERO_SHOT_IMAGES = 32
FITTING, HELD_OUT = "fitting", "heldout"


def choose(setting: Setting) -> dict[str, list[Arch]]:
    """Networks to fit by the rule of `fitting_nets`, and a uniform draw from the others to judge by."""
    config, library = setting.experiment.predictor, setting.library
    rng = np.random.default_rng(derive_seed(setting.experiment.seed, "predictor-quality"))
    pool = list(dict.fromkeys(setting.space.sample(rng) for _ in range(_POOL)))
    quality = [float(library.nsr_of(arch).sum()) for arch in pool]
    fitted = spread(quality, [float(macs(setting.space.netspec(arch))) for arch in pool], config.n_fit)
    others = [index for index in rng.permutation(len(pool)).tolist() if index not in fitted]
    return {
        FITTING: [pool[index] for index in fitted],
        HELD_OUT: [pool[index] for index in others[: config.n_heldout]],
    }


def measure(setting: Setting, archs: Sequence[Arch], seeds: Sequence[int], what: str) -> list[dict[str, Any]]:
    """A row per network: what predictors may see of it, and its accuracy per seed."""
    config = setting.experiment.predictor.finetune
    jobs = [from_library(setting, arch, config, seed) for seed in seeds for arch in archs]
    trained = train_all(setting.context, what, jobs)
    rows = []
    for index, arch in enumerate(archs):
        mine = trained[index :: len(archs)]
        rows.append(
            {
                **_features(setting, arch),
                "accuracy_validation": [one.accuracy_validation for one in mine],
                "cpu_s": [one.cpu_s for one in mine],
            }
        )
    return rows


def _features(setting: Setting, arch: Arch) -> dict[str, Any]:
    spec = setting.space.netspec(arch)
    images = setting.data.train.images[:_ZERO_SHOT_IMAGES]
    return {
        "arch": list(arch),
        "nsr": setting.library.nsr_of(arch).tolist(),
        "macs": macs(spec),
        "params": params(spec),
        "naswot": naswot(spec, images, derive_seed(setting.experiment.seed, "zero_shot")),
        "assembled_accuracy": _assembled_accuracy(setting, arch),
    }


def _assembled_accuracy(setting: Setting, arch: Arch) -> float:
    """Zero-shot: of the library's blocks put together, BatchNorm measured anew, nothing trained."""
    import torch

    from tinynas.nets.norm import reestimate
    from tinynas.train.augment import to_float
    from tinynas.train.supervised import accuracy

    network = setting.library.assemble(arch)
    batches = torch.split(torch.from_numpy(setting.data.train.images[:1024]), 64)
    reestimate(network, (to_float(batch) for batch in batches))
    return accuracy(network, setting.data.validation.head(5_000))


def main(options: Options) -> None:
    """Train what is missing and write both files."""
    context = make_context(options.experiment, options.overrides, options.runs, options.progress, options.workers)
    setting = prepare(context)
    chosen = choose(setting)
    for seeds in (options.seeds[:1], options.seeds):  # a first answer early
        for part, archs in chosen.items():
            rows = measure(setting, archs, seeds, part)
            write_json(_file(options.runs, part), {"seeds": list(seeds), "networks": rows})


def _file(runs: Path, part: str) -> Path:
    return runs / f"predictor-{part}.json"


if __name__ == "__main__":
    main(study_options(__doc__))
