"""DONNA's front against random search and regularised evolution that finetune the same number of networks.

    python -m experiments.search_efficiency --runs runs --seeds 0 1 2

Every method may finetune 16 networks, all from the same block library. DONNA spends 8 on its predictor and 8 on
networks of the front that NSGA-II finds with it; the others see the validation accuracy of each network as they go.
Judged by the hypervolume of what each has finetuned: error and measured latency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.judged import hits
from experiments.measured import measured
from experiments.nets import Trained, from_library, train_all
from experiments.options import Options, study_options
from experiments.setting import Setting, make_context, prepare
from tinynas.lab.runtime_size import runtime_size
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.features import as_nets, macs
from tinynas.pipeline.files import write_json
from tinynas.pipeline.stages.space import candidate_cost
from tinynas.predict.fitting_nets import spread
from tinynas.predict.quality import fit
from tinynas.search.config import SearchConfig
from tinynas.search.methods import search
from tinynas.search.pareto import hypervolume, non_dominated
from tinynas.search.problem import Objective, SearchProblem
from tinynas.space.cost import sample_feasible
from tinynas.space.space import Arch

_FINETUNED, _FITTED = 16, 8
_POOL = 2000
_TEST_IMAGES = 2500  # of the split, whose images are in random order
_PREDICTED_SEARCH = SearchConfig(population=24, generations=6)


@dataclass
class Trial:
    """One method with one seed: what it finetuned, in order."""

    setting: Setting
    seed: int
    archs: list[Arch]

    def errors(self, archs: Sequence[Arch]) -> list[float]:
        """Validation errors after finetuning; this is what a method pays for."""
        self.archs += archs
        return [1 - one.accuracy_validation for one in self.trained(archs)]

    def trained(self, archs: Sequence[Arch]) -> list[Trained]:
        """The finetuned networks."""
        config = self.setting.experiment.predictor.finetune
        jobs = [from_library(self.setting, arch, config, self.seed) for arch in archs]
        return train_all(self.setting.context, f"seed {self.seed}", jobs)

    def latencies_us(self, archs: Sequence[Arch]) -> list[float]:
        """Measured."""
        found = measured(self.setting.context, [self.setting.library.assemble(arch) for arch in archs], "latency")
        return [one.latency_us for one in found]

    def rng(self, *labels: str) -> np.random.Generator:
        return np.random.default_rng(derive_seed(self.seed, "search-efficiency", *labels))

    def problem(self, error: Objective) -> SearchProblem:
        """Under the board's memory."""
        context, space = self.setting.context, self.setting.space
        cost = candidate_cost(context, space, runtime_size(context.board))
        return SearchProblem(
            space,
            (error, Objective("latency_us", self.latencies_us)),
            cost.overflows,
            lambda rng: sample_feasible(space, cost, rng),
        )


def direct(trial: Trial, method: str) -> None:
    """A method that finetunes whatever it looks at."""
    config = SearchConfig.model_validate(
        {"method": method, "population": 8, "batch": 4, "tournament": 3, "max_evaluated": _FINETUNED}
    )
    search(trial.problem(Objective("error", trial.errors)), config, trial.rng(method))


def donna(trial: Trial) -> None:
    """Half of the finetunings fit the predictor, the others go to the front that it leads to."""
    setting, space = trial.setting, trial.setting.space
    rng = trial.rng("donna")
    pool = list(dict.fromkeys(space.sample(rng) for _ in range(_POOL)))
    quality = [float(setting.library.nsr_of(arch).sum()) for arch in pool]
    fitted = [pool[i] for i in spread(quality, [float(macs(space.netspec(arch))) for arch in pool], _FITTED)]
    nets = as_nets(setting.features, fitted, 1 - np.array(trial.errors(fitted)))
    predictor = fit(nets, len(space.resolutions))

    def predicted(archs: Sequence[Arch]) -> list[float]:
        nsr = np.array([setting.library.nsr_of(arch) for arch in archs])
        return list(1 - predictor.predict(nsr, [arch[0] for arch in archs], setting.features.gains(archs)))

    found = search(trial.problem(Objective("error", predicted)), _PREDICTED_SEARCH, rng)
    new = [candidate for candidate in found.front if candidate.arch not in trial.archs]
    by_latency = sorted(new, key=lambda candidate: candidate.values[1])
    places = np.linspace(0, len(by_latency) - 1, min(_FINETUNED - _FITTED, len(by_latency))).round().astype(int)
    trial.errors([by_latency[place].arch for place in places])


def main(options: Options) -> None:
    """All methods and seeds; whatever is trained or measured already is kept."""
    context = make_context(options.experiment, options.overrides, options.runs, options.progress, options.workers)
    setting = prepare(context)
    rows = []
    for seed in options.seeds:
        for method in ("donna", "random", "aging"):
            trial = Trial(setting, seed, [])
            donna(trial) if method == "donna" else direct(trial, method)
            rows.append({"method": method, "seed": seed, **_figures(trial)})
    result = {
        "finetuned": _FINETUNED,
        "fitted": _FITTED,
        "seeds": list(options.seeds),
        **_compared(rows),
        "trials": rows,
    }
    write_json(options.runs / f"{context.experiment.name}-search-efficiency.json", result)
    options.progress.say(str({key: value for key, value in result.items() if key != "trials"}))


def _figures(trial: Trial) -> dict[str, Any]:
    trained = trial.trained(trial.archs)
    test = trial.setting.data.test.head(_TEST_IMAGES)
    return {
        "archs": [list(arch) for arch in trial.archs],
        "error_validation": [1 - one.accuracy_validation for one in trained],
        "error_test": [1 - float(hits(one.network, test).mean()) for one in trained],
        "latency_us": trial.latencies_us(trial.archs),
        "cpu_s": sum(one.cpu_s for one in trained),
    }


def _compared(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Hypervolumes with one corner for all, 5 % beyond the worst of anything; and after each finetuning."""
    worst = {
        name: 1.05 * max(max(row[name]) for row in rows) for name in ("error_validation", "error_test", "latency_us")
    }
    for row in rows:
        row["hypervolume_validation"] = _volumes(row, "error_validation", worst)
        row["hypervolume_test"] = _test_volume(row, worst)
    methods = list(dict.fromkeys(row["method"] for row in rows))
    mean = {
        split: {m: float(np.mean([_last(row, split) for row in rows if row["method"] == m])) for m in methods}
        for split in ("validation", "test")
    }
    ratios = {
        split: {m: mean[split]["donna"] / mean[split][m] for m in methods if m != "donna"}
        for split in ("validation", "test")
    }
    return {"corner": worst, "mean_hypervolume": mean, "donna_to": ratios}


def _last(row: dict[str, Any], split: str) -> float:
    value = row[f"hypervolume_{split}"]
    return float(value[-1] if isinstance(value, list) else value)


def _volumes(row: dict[str, Any], error: str, worst: dict[str, float]) -> list[float]:
    points = np.column_stack([row[error], row["latency_us"]])
    corner = (worst[error], worst["latency_us"])
    return [hypervolume(points[: count + 1], corner) for count in range(len(points))]


def _test_volume(row: dict[str, Any], worst: dict[str, float]) -> float:
    """Of the networks that are not dominated on validation, by their errors on the test split."""
    front = non_dominated(np.column_stack([row["error_validation"], row["latency_us"]]))
    points = np.column_stack([row["error_test"], row["latency_us"]])[front]
    return hypervolume(points, (worst["error_test"], worst["latency_us"]))


if __name__ == "__main__":
    main(study_options(__doc__))
