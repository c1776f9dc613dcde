"""What does it cost to guess latency from MACs instead of measuring it on the board?

    python -m experiments.hardware_in_the_loop --runs runs

Draws networks uniformly from the experiment's space, measures them on the board, and compares the order by MACs with
the order by measured latency. For latency limits at the deciles, the network with most MACs among those believed to
keep the limit (by the best line through MACs and latency) is compared with what its latency is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.measured import measured
from experiments.options import Options, study_options
from experiments.setting import make_context
from tinynas.nets.network import build_network
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.features import macs, params
from tinynas.pipeline.files import write_json
from tinynas.pipeline.stages.data import load_data
from tinynas.predict.kendall import kendall_tau

_NETWORKS = 100
Floats = NDArray[np.float64]


def main(options: Options) -> None:
    """Measure what is not in the store yet, and write the comparison."""
    context = make_context(options.experiment, options.overrides, options.runs, options.progress, options.workers)
    data = load_data(context)
    space = context.experiment.space.with_changes(channels=data.input_shape[2], classes=len(data.classes))
    rng = np.random.default_rng(derive_seed(context.experiment.seed, "hardware-in-the-loop"))
    archs = list(dict.fromkeys(space.sample(rng) for _ in range(_NETWORKS)))
    specs = [space.netspec(arch) for arch in archs]
    found = measured(context, [build_network(spec, seed=0) for spec in specs], context.board.name)
    rows = [
        {
            "arch": list(arch),
            "macs": macs(spec),
            "params": params(spec),
            "latency_us": one.latency_us,
            "instructions": one.instructions,
            "est_cycles": one.est_cycles,
            "peak_sram_bytes": one.peak_sram_bytes,
            "flash_bytes": one.flash_bytes,
        }
        for arch, spec, one in zip(archs, specs, found, strict=True)
    ]
    result = {"board": context.board.name, **compare(rows), "networks": rows}
    write_json(options.runs / f"{context.experiment.name}-hardware-in-the-loop-{context.board.name}.json", result)
    options.progress.say(str({key: value for key, value in result.items() if key != "networks"}))


def compare(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Order by MACs (and by parameters) against order by measured latency."""
    columns = {name: np.array([float(row[name]) for row in rows]) for name in ("macs", "params", "latency_us")}
    latency, count = columns["latency_us"], columns["macs"]
    guess = np.polyval(np.polyfit(count, latency, 1), count)
    misses = [_at_limit(count, guess, latency, float(limit)) for limit in np.quantile(latency, np.arange(0.1, 1, 0.1))]
    return {
        "n": len(rows),
        "kendall_tau_macs": kendall_tau(count, latency),
        "kendall_tau_params": kendall_tau(columns["params"], latency),
        "pairs_ordered_wrongly_by_macs": _wrong_pairs(count, latency),
        "mape_of_line_through_macs": float(np.mean(np.abs(guess / latency - 1))),
        "latency_per_mmac_us": {
            "min": float((latency / count).min() * 1e6),
            "max": float((latency / count).max() * 1e6),
        },
        "limits": misses,
    }


def _wrong_pairs(score: Floats, truth: Floats) -> float:
    """Share of the pairs with different latency that `score` orders the other way or not at all."""
    first, second = np.triu_indices(len(score), 1)
    apart = truth[first] != truth[second]
    agree = np.sign(score[first] - score[second]) == np.sign(truth[first] - truth[second])
    return float(1 - agree[apart].mean())


def _at_limit(macs_: Floats, guess: Floats, latency: Floats, limit: float) -> dict[str, float | bool]:
    """The network with most MACs of those believed within the limit, and of those that are."""
    believed, within = np.flatnonzero(guess <= limit), np.flatnonzero(latency <= limit)
    best = int(within[macs_[within].argmax()])
    picked = int(believed[macs_[believed].argmax()]) if len(believed) else best
    return {
        "limit_us": limit,
        "picked_latency_us": float(latency[picked]),
        "keeps_limit": bool(latency[picked] <= limit),
        "macs_lost": float(1 - macs_[picked] / macs_[best]) if latency[picked] <= limit else 0.0,
    }


if __name__ == "__main__":
    main(study_options(__doc__))
