"""Subnets of a Once-for-All supernet, as they are, against the same networks trained alone.

    python -m experiments.once_for_all --runs runs --seeds 0

Trains the supernet, draws subnets that differ in cost, and trains each alone from scratch, taught by the same largest
network, for as many epochs as that had. BatchNorm's statistics are re-estimated for every subnet; nothing else of it is
trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.judged import difference, mean_hits
from experiments.measured import measured
from experiments.nets import from_scratch, train_all
from experiments.options import Options, study_options
from experiments.setting import make_context
from tinynas.data.types import Dataset
from tinynas.nets.checkpoint import load_network, save_network
from tinynas.pipeline.config import load_experiment
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.features import macs
from tinynas.pipeline.files import read_json, write_json
from tinynas.pipeline.stage_store import Output
from tinynas.pipeline.stages.data import load_data
from tinynas.pipeline.stages.ofa_supernet import elastic_space, open_subnets, train_supernet
from tinynas.space.elastic import ElasticSpace
from tinynas.space.space import Arch
from tinynas.train.config import TrainConfig

_SUBNETS, _POOL = 6, 500
_BOARDS = 20


def main(options: Options) -> None:
    """A supernet per seed; the same subnets of each."""
    rows = [row for seed in options.seeds for row in _one_seed(options, seed)]
    gaps = [row["alone_less_subnet"]["difference"] for row in rows]
    result = {"subnets": rows, "mean_gap": float(np.mean(gaps)), "worst_gap": float(np.max(gaps)), "cost": _cost(rows)}
    name = load_experiment(options.experiment, options.overrides).name
    write_json(options.runs / f"{name}-subnets.json", result)
    options.progress.say(str({key: value for key, value in result.items() if key != "subnets"}))


def _one_seed(options: Options, seed: int) -> list[dict[str, Any]]:
    overrides = [*options.overrides, f"seed={seed}"]
    context = make_context(options.experiment, overrides, options.runs, options.progress, options.workers)
    data = load_data(context)
    space = elastic_space(context, data)
    supernet = train_supernet(context, data, space)
    archs = choose(space)
    alone = [_alone(context, data, space, arch, supernet, seed) for arch in archs]
    trained = train_all(context, "alone", alone)
    inside = _extracted(context, data, space, archs, supernet)
    on_board = measured(context, [load_network(path) for path in inside], "subnets")
    spent = float(read_json(supernet.folder / "metrics.json")["cpu_seconds"])
    return [
        {
            "seed": seed,
            "arch": list(arch),
            "name": space.label(arch),
            "macs": macs(space.netspec(arch)),
            "accuracy_subnet": float(mean_hits([part], data.test).mean()),
            "accuracy_alone": float(mean_hits([one.network], data.test).mean()),
            "alone_less_subnet": difference(
                mean_hits([one.network], data.test), mean_hits([part], data.test), data.test
            ),
            "alone_cpu_s": one.cpu_s,
            "supernet_cpu_s": spent,
            "latency_us": figures.latency_us,
            "peak_sram_bytes": figures.peak_sram_bytes,
            "flash_bytes": figures.flash_bytes,
        }
        for arch, one, part, figures in zip(archs, trained, inside, on_board, strict=True)
    ]


def choose(space: ElasticSpace) -> list[Arch]:
    """Spread evenly over the order of MACs of a uniform sample; the same for every seed."""
    rng = np.random.default_rng(derive_seed(0, "once-for-all"))
    pool = sorted({space.sample(rng) for _ in range(_POOL)}, key=lambda arch: macs(space.netspec(arch)))
    return [pool[place] for place in np.linspace(0, len(pool) - 1, _SUBNETS).round().astype(int)]


def _alone(context: Context, data: Dataset, space: ElasticSpace, arch: Arch, supernet: Output, seed: int) -> Any:
    training = context.experiment.ofa.training
    config = TrainConfig(epochs=training.largest.epochs, batch_size=training.batch_size, lr=training.largest.lr)
    teacher = supernet.folder / "network.npz"
    return from_scratch(context, space.netspec(arch), data.sha256, config, seed, teacher)


def _extracted(
    context: Context, data: Dataset, space: ElasticSpace, archs: Sequence[Arch], supernet: Output
) -> list[Path]:
    """Checkpoints of the subnets as the supernet has them."""
    subnets = open_subnets(context, data, supernet)
    folder = context.folder / "subnets" / supernet.digest
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{'-'.join(map(str, arch))}.npz" for arch in archs]
    for arch, path in zip(archs, paths, strict=True):
        if not path.exists():
            save_network(path, subnets.network(space.netspec(arch)))
    return paths


def _cost(rows: list[dict[str, Any]]) -> dict[str, float]:
    """CPU seconds of the supernet against one network trained alone for each of 20 boards."""
    supernet = float(np.mean([row["supernet_cpu_s"] for row in rows]))
    alone = float(np.mean([row["alone_cpu_s"] for row in rows]))
    return {
        "supernet_cpu_s": supernet,
        "one_network_cpu_s": alone,
        f"{_BOARDS}_networks_cpu_s": _BOARDS * alone,
        "boards_that_pay_for_the_supernet": supernet / alone,
    }


if __name__ == "__main__":
    main(study_options(__doc__, experiment="experiments/study-ofa.toml"))
