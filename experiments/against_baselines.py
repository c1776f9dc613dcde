"""Is the searched network better than what people would take, at no more latency, SRAM and flash on the same board?

    python -m experiments.predictor_quality --runs runs && python -m experiments.against_baselines --runs runs
    python -m experiments.against_baselines --runs runs --epochs 30            # of every network
    python -m experiments.against_baselines --runs runs --baseline-epochs 30   # three times the searched ones' epochs

For each baseline and seed, NSGA-II's measured candidates within the baseline's latency, SRAM and flash are looked
through, and the one with the best predicted accuracy is trained. All networks get the same epochs and the same teacher;
a searched one starts from its library blocks, whose epoch of blockwise training counts. Nothing is chosen on the test
split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.baselines import baselines
from experiments.judged import difference, mean_hits
from experiments.measured import measured
from experiments.nets import Trained, from_library, from_scratch, train_all
from experiments.options import Options, as_options, study_parser
from experiments.searched import Searched, searched
from experiments.setting import Setting, make_context, prepare
from tinynas.lab.measure import Measurement
from tinynas.nets.network import build_network
from tinynas.pipeline.files import write_json
from tinynas.space.netspec import NetSpec
from tinynas.train.config import TrainConfig


@dataclass(frozen=True)
class Epochs:
    """Of every network's training; a searched one's begin with those of its library blocks."""

    searched: int = 10
    baselines: int = 10

    @property
    def suffix(self) -> str:
        """For the name of the results' file: nothing for ten."""
        if self == Epochs():
            return ""
        counts = dict.fromkeys((self.searched, self.baselines))
        return f"-{'-and-'.join(map(str, counts))}-epochs"


@dataclass(frozen=True)
class Rival:
    """A baseline and what it takes of the board."""

    name: str
    spec: NetSpec
    latency_us: float
    peak_sram_bytes: int
    flash_bytes: int

    @classmethod
    def of(cls, name: str, spec: NetSpec, figures: Measurement) -> Rival:
        assert figures.peak_sram_bytes is not None and figures.flash_bytes is not None  # boards tell, the host does not
        return cls(name, spec, figures.latency_us, figures.peak_sram_bytes, figures.flash_bytes)

    def allows(self, candidate: Searched) -> bool:
        """Whether the candidate takes no more of anything."""
        mine = (self.latency_us, self.peak_sram_bytes, self.flash_bytes)
        its = (candidate.latency_us, candidate.peak_sram_bytes, candidate.flash_bytes)
        return all(one <= limit for one, limit in zip(its, mine, strict=True))


def main(options: Options, epochs: Epochs) -> None:
    """Search, train and judge what is not there yet; write the comparison."""
    context = make_context(options.experiment, options.overrides, options.runs, options.progress, options.workers)
    setting = prepare(context)
    rivals = _rivals(setting)
    chosen = {seed: _chosen(setting, rivals, seed, options) for seed in options.seeds}
    trained = _train(setting, rivals, chosen, options.seeds, epochs)
    rows = [_row(setting, rival, chosen, trained, options.seeds) for rival in rivals if rival.name in trained[1]]
    result = {
        "board": context.board.name,
        "epochs": epochs.searched,
        "baseline_epochs": epochs.baselines,
        "seeds": list(options.seeds),
        "rows": rows,
    }
    write_json(options.runs / f"{context.experiment.name}-against-baselines{epochs.suffix}.json", result)
    for row in rows:
        options.progress.say(f"{row['baseline']}: {row['accuracy']:.4f}, searched {row['searched_accuracy']:.4f}")


def _rivals(setting: Setting) -> list[Rival]:
    side, _, channels = setting.data.input_shape
    specs = baselines(side, channels, len(setting.data.classes))
    found = measured(setting.context, [build_network(spec, seed=0) for spec in specs.values()], "baselines")
    return [Rival.of(name, spec, one) for (name, spec), one in zip(specs.items(), found, strict=True)]


def _chosen(setting: Setting, rivals: Sequence[Rival], seed: int, options: Options) -> Mapping[str, Searched]:
    """Baseline -> the candidate to set against it; none where no candidate is as small."""
    candidates = searched(setting, options.runs, seed)
    allowed = {rival.name: [one for one in candidates if rival.allows(one)] for rival in rivals}
    return {name: max(some, key=lambda one: one.predicted_accuracy) for name, some in allowed.items() if some}


Trainings = Mapping[str, list[Trained]]  # baseline -> one per seed


def _train(
    setting: Setting,
    rivals: Sequence[Rival],
    chosen: Mapping[int, Mapping[str, Searched]],
    seeds: Sequence[int],
    epochs: Epochs,
) -> tuple[Trainings, Trainings]:
    """The baselines' trainings, and those of the networks set against them."""
    whole = setting.experiment.predictor.finetune.model_copy(update={"epochs": epochs.baselines})
    rest = whole.model_copy(update={"epochs": epochs.searched - setting.experiment.library.epochs})
    matched = [rival for rival in rivals if all(rival.name in chosen[seed] for seed in seeds)]
    plain = [_scratch(setting, rival, whole, seed) for rival in matched for seed in seeds]
    found = [from_library(setting, chosen[seed][rival.name].arch, rest, seed) for rival in matched for seed in seeds]
    done = train_all(setting.context, "trainings", [*plain, *found])
    names = [rival.name for rival in matched]
    return _grouped(names, done[: len(plain)], seeds), _grouped(names, done[len(plain) :], seeds)


def _scratch(setting: Setting, rival: Rival, config: TrainConfig, seed: int) -> Any:
    return from_scratch(setting.context, rival.spec, setting.data.sha256, config, seed, setting.teacher)


def _grouped(names: Sequence[str], done: Sequence[Trained], seeds: Sequence[int]) -> Trainings:
    count = len(seeds)
    return {name: list(done[index * count : (index + 1) * count]) for index, name in enumerate(names)}


def _row(
    setting: Setting,
    rival: Rival,
    chosen: Mapping[int, Mapping[str, Searched]],
    trained: tuple[Trainings, Trainings],
    seeds: Sequence[int],
) -> dict[str, Any]:
    test = setting.data.test
    theirs, ours = ([one.network for one in part[rival.name]] for part in trained)
    their_hits, our_hits = mean_hits(theirs, test), mean_hits(ours, test)
    picks = [chosen[seed][rival.name] for seed in seeds]
    return {
        "baseline": rival.name,
        "accuracy": float(their_hits.mean()),
        "accuracy_per_seed": _per_seed(theirs, setting),
        "latency_us": rival.latency_us,
        "peak_sram_bytes": rival.peak_sram_bytes,
        "flash_bytes": rival.flash_bytes,
        "searched_accuracy": float(our_hits.mean()),
        "searched_accuracy_per_seed": _per_seed(ours, setting),
        "searched": [pick.as_json() for pick in picks],
        "validation": [[one.accuracy_validation for one in part[rival.name]] for part in trained],
        "gain": difference(our_hits, their_hits, test),
        "cpu_s": [sum(one.cpu_s for one in part[rival.name]) for part in trained],
    }


def _per_seed(networks: Sequence[Path], setting: Setting) -> list[float]:
    return [float(np.mean(mean_hits([network], setting.data.test))) for network in networks]


if __name__ == "__main__":
    parser = study_parser(__doc__, "experiments/study.toml")
    parser.add_argument("--epochs", type=int, default=Epochs.searched, help="of every network")
    parser.add_argument("--baseline-epochs", type=int, help="of every baseline; default: as of the others")
    args = parser.parse_args()
    main(as_options(args), Epochs(args.epochs, args.baseline_epochs or args.epochs))
