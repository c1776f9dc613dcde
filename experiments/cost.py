"""What do DONNA and Once-for-All cost, phase by phase, for one board, for five, for twenty?

    python -m experiments.cost --runs runs                      # 5 targets of each method
    python -m experiments.cost --runs runs --boards 1 5 20      # 20 of each, really run
    python -m experiments.cost --runs runs --boards 1 5 20 --run 6   # 6 run, the figures for 20 a marked product

Runs the real pipeline (`tinynas run`) for a first board, then for further ones out of the same store of stages, so
that only what a board needs is computed. A target is a board with a limit of latency: first every virtual board with
none, then all of them again with limits at quantiles of the latencies that their first search measured. One network
is finetuned per target and no baseline is trained; 1,000 test images are classified on the board (--set changes any
of it). Everything lies in RUNS/<name>-cost, apart from other runs: what those have computed would cost nothing here.
Run again, it goes on where it was stopped; seconds of a killed attempt count.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.cost_figures import figures
from experiments.options import study_parser
from experiments.tables import cost_table
from tinynas.errors import InfeasibleError
from tinynas.lab.board import known_boards, load_board
from tinynas.pipeline.config import Experiment, load_experiment
from tinynas.pipeline.cost import Cost, Meter
from tinynas.pipeline.digest import digest
from tinynas.pipeline.files import read_json, write_json
from tinynas.pipeline.progress import PlainProgress, Progress
from tinynas.pipeline.run import run_experiment
from tinynas.train.shrinking_job import read_rows

_LESS = ("finetune.networks=1", "finetune.front_entries=1", "baselines.widths=[]", "data.test_images=1000")
_CHOSEN = ("name", "accuracy_int8", "latency_us", "bit_exact", "images_on_board", "images_identical_to_host")
_QUANTILES = (None, 0.6, 0.4, 0.25, 0.8, 0.5, 0.3, 0.7)  # of a board's latencies; None: no limit

Row = dict[str, Any]


@dataclass(frozen=True)
class CostOptions:
    """What the user asked for."""

    experiments: tuple[Path, ...]
    runs: Path
    counts: tuple[int, ...]
    run: int  # targets
    boards: tuple[str, ...]
    workers: int
    overrides: tuple[str, ...]
    progress: Progress


@dataclass(frozen=True)
class Target:
    """What one run is for."""

    board: str
    quantile: float | None
    limit_us: float | None

    @property
    def overrides(self) -> tuple[str, ...]:
        limit = () if self.limit_us is None else (f"budget.latency_us={self.limit_us}",)
        return (f"board={self.board}", *limit)


def main(options: CostOptions) -> None:
    """All methods; what has run already is kept."""
    for path in options.experiments:
        study, rows = Study(path, options), []
        for row in study.rows():
            rows.append(row)
            write_json(options.runs / f"{study.experiment.name}-cost.json", study.result(rows))
        for line in cost_table(study.result(rows)) if rows else [f"no board is left: {study.left_out}"]:
            options.progress.say(line)


@dataclass
class Study:
    """One experiment file, taken to many targets."""

    path: Path
    options: CostOptions
    left_out: dict[str, str] = field(default_factory=dict)  # board: why
    experiment: Experiment = field(init=False)

    def __post_init__(self) -> None:
        self.experiment = load_experiment(self.path, self._overrides)

    @property
    def root(self) -> Path:
        """Where its runs are."""
        return self.options.runs / f"{self.experiment.name}-cost"

    @property
    def _overrides(self) -> tuple[str, ...]:
        return (*_LESS, *self.options.overrides)

    def rows(self) -> Iterator[Row]:
        """One per target, each run now or before; a board that holds no network of the space is left out, with why."""
        seen: set[str] = set()
        done: list[Row] = []
        for quantile in _QUANTILES:
            for board in self._boards():
                if len(done) == self.options.run or board in self.left_out:
                    continue
                self.options.progress.say(f"--- {self.experiment.name}, target {len(done) + 1} of {self.options.run}")
                try:
                    row = self._row(self._target(board, quantile, done))
                except InfeasibleError as error:
                    self.left_out[board] = str(error)
                    self.options.progress.say(f"{board} is left out: {error}")
                    continue
                done.append(row)
                yield row | {"new": [name for name, output in row["outputs"].items() if output not in seen]}
                seen |= set(row["outputs"].values())

    def _boards(self) -> list[str]:
        return list(dict.fromkeys((self.experiment.board, *self.options.boards)))

    def _target(self, board: str, quantile: float | None, done: Sequence[Row]) -> Target:
        if quantile is None:
            return Target(board, None, None)
        first = next(row for row in done if row["board"] == board)
        candidates = read_json(self.root / first["run"] / "candidates.json")
        latencies = [row["latency_us"] for row in candidates if row["measured"]]
        return Target(board, quantile, round(float(np.quantile(latencies, quantile)), 1))

    def _row(self, target: Target) -> Row:
        overrides = (*self._overrides, *target.overrides)
        settings = load_experiment(self.path, overrides).model_dump(mode="json", exclude={"name"})
        name = f"{target.board}-{digest(settings)}"
        file = self.root / "targets" / f"{name}.json"
        if not file.exists():
            write_json(file, self._run(target, name, overrides))
        row: Row = read_json(file)
        return row | _found(read_json(self.root / name / "summary.json"))

    def _run(self, target: Target, name: str, overrides: Sequence[str]) -> Row:
        spent = self.root / name / "run-cost.json"
        with Meter().costing(spent):
            folder = run_experiment(
                self.path,
                [*overrides, f"name={name}"],
                self.options.progress,
                runs=self.root,
                workers=self.options.workers,
            )
        whole, summary = Cost.load(spent), read_json(folder / "summary.json")
        assert whole is not None
        return {
            "run": name,
            **asdict(target),
            "wall_s": whole.wall_s,
            "cpu_s": whole.cpu_s,
            "attempts": whole.attempts,
            "stages": summary["cost"],
            "outputs": {stage: (folder / "stages" / stage).resolve().name for stage in summary["cost"]},
        }

    def result(self, rows: Sequence[Row]) -> dict[str, Any]:
        """What is written, and what tables and pictures show."""
        return {
            "experiment": self.experiment.name,
            "method": self.experiment.method,
            "overrides": list(self._overrides),
            "left_out": self.left_out,
            "scratch_cpu_s": self._scratch_cpu_s(rows),
            **figures(rows, self.options.counts),
            "targets": list(rows),
        }

    def _scratch_cpu_s(self, rows: Sequence[Row]) -> float | None:
        """CPU seconds of training one network, the space's largest, from scratch."""
        if self.experiment.method == "ofa":
            trained = read_rows(self.root / rows[0]["run"] / "stages" / "supernet" / "epochs.jsonl")
            return round(sum(float(row["cpu_seconds"]) for row in trained if row["phase"] == "largest"), 1)
        reference: Row | None = rows[0]["stages"]["reference"]
        return reference["cpu_s"] if reference else None


def _found(summary: Row) -> Row:
    """What a run came to: its network, whether its board computes as the host does, how far a latency table is off."""
    chosen = {name: summary["chosen"][name] for name in _CHOSEN}
    return {"chosen": chosen, "latency_table": summary["search"].get("latency_table")}


def options_of(arguments: Sequence[str] | None = None) -> CostOptions:
    """The command line; argparse ends the program on anything else."""
    parser = study_parser(__doc__)
    files = [Path("experiments/study.toml"), Path("experiments/study-ofa.toml")]
    parser.add_argument("--experiment", type=Path, nargs="+", default=files)
    parser.add_argument("--boards", type=_positive, nargs="+", default=[5], help="numbers of targets to give costs for")
    parser.add_argument("--run", type=_positive, help="targets that are really run; default: the largest of --boards")
    parser.add_argument("--on", nargs="+", default=_virtual_boards(), metavar="BOARD", help="default: all virtual ones")
    args = parser.parse_args(arguments)
    counts = tuple(sorted(set(args.boards)))
    return CostOptions(
        tuple(args.experiment),
        args.runs,
        counts,
        args.run or max(counts),
        tuple(args.on),
        args.workers,
        tuple(args.set),
        PlainProgress(),
    )


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"wanted 1 or more, found {number}")
    return number


def _virtual_boards() -> list[str]:
    return [name for name in known_boards() if load_board(name).kind == "virtual"]


if __name__ == "__main__":
    main(options_of())
