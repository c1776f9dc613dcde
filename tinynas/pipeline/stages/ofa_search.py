"""Once-for-All, stage 5: the most accurate subnets for the board, by predictors; the best measured and judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tinynas.errors import InfeasibleError
from tinynas.lab.image_makers import image_makers
from tinynas.lab.measure import Measurement
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.files import write_json
from tinynas.pipeline.judging import Calibration, judge_candidates
from tinynas.pipeline.measuring import RateLog, measure_models
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.pipeline.stages.search import measured_figures
from tinynas.plan.fit import RuntimeSize
from tinynas.predict.latency_table import LatencyTable
from tinynas.predict.mlp import Mlp, encode
from tinynas.search.config import SearchConfig
from tinynas.search.evolution import EvolutionProblem, evolve
from tinynas.search.nsga2 import nsga2
from tinynas.search.pareto import hypervolume, non_dominated
from tinynas.search.problem import Generation, Objective, SearchProblem
from tinynas.space.cost import CandidateCost
from tinynas.space.elastic import ElasticSpace
from tinynas.space.space import Arch

_VERSION = 2


@dataclass(frozen=True)
class Specialised:
    """What a board's networks are searched with."""

    space: ElasticSpace
    mlp: Mlp
    table: LatencyTable
    runtime: RuntimeSize


def specialise(context: Context, found: Specialised, upstream: dict[str, Output]) -> Output:
    """candidates.json: what was measured and judged; search.json: how the search went.

    `upstream`: the stages supernet, ofa_predictor and latency_table.

    Raises:
        InfeasibleError: no subnet keeps the budget.
    """
    settings = {
        "search": context.experiment.ofa.search.model_dump(mode="json"),
        "budget": context.experiment.budget.model_dump(mode="json"),
        "calibration": context.experiment.quantise.candidate_images,
        "board": context.board.model_dump(mode="json"),
        **image_makers(context.board),
        "seed": context.experiment.seed,
    }
    key = StageKey("ofa_search", _VERSION, settings, {name: output.digest for name, output in upstream.items()})
    work = _Work(context, found, upstream["supernet"])
    return context.stage(key, work.run)


@dataclass(frozen=True)
class _Work:
    context: Context
    found: Specialised
    supernet: Output
    _latency_us: dict[Arch, float] = field(default_factory=dict)

    def run(self, folder: Path) -> None:
        config, progress = self.context.experiment.ofa.search, self.context.progress
        searches = config.targets if config.method == "evolution" else 1
        progress.begin("ofa_search", "generations", searches * (config.generations + 1))
        archs, evaluated = self._evolved() if config.method == "evolution" else self._front()
        accuracy, models = judge_candidates(self.context, self.supernet, archs, folder, self._calibration)
        rate = RateLog(folder / "rate.jsonl")
        measured = measure_models(self.context, models, rate=rate)
        rows = [self._row(*row) for row in zip(archs, measured, accuracy.tolist(), strict=True)]
        _mark_front(rows)
        write_json(folder / "candidates.json", rows)
        write_json(folder / "search.json", self._summary(rows, evaluated, rate.per_minute()))
        within = sum(row["within_limits"] for row in rows)
        progress.end(f"{evaluated} subnets predicted, {len(rows)} measured, {within} within the limits")

    def _evolved(self) -> tuple[list[Arch], int]:
        """The subnets to be measured, and how many were scored."""
        config, space = self.context.experiment.ofa.search, self.found.space
        rng = np.random.default_rng(derive_seed(self.context.experiment.seed, "ofa_search"))
        chosen: dict[Arch, None] = {}
        scored = 0
        for number, limit_us in enumerate(self._targets()):
            problem = EvolutionProblem(
                space, self._scores, self._faster(limit_us), self._fits, (space.smallest(), *chosen)
            )
            done = number * (config.generations + 1)
            evolved = evolve(
                problem,
                config,
                rng,
                lambda n, best, done=done: self._advance(done + n + 1, best),  # type: ignore[misc]
            )
            chosen |= dict.fromkeys(evolved.parents[: config.measured_per_target])
            scored += evolved.evaluated
        return list(chosen), scored

    def _front(self) -> tuple[list[Arch], int]:
        """Of NSGA-II's front in predicted error and latency, subnets spread evenly; and how many were scored."""
        config, space, limit_us = self.context.experiment.ofa.search, self.found.space, self._targets()[-1]
        objectives = (
            Objective("error", lambda archs: [1 - score for score in self._scores(archs)]),
            Objective("latency_us", lambda archs: [self._latency(arch) for arch in archs], limit_us),
        )
        problem = SearchProblem(space, objectives, self.costs.overflows, space.sample, (space.smallest(),))
        settings = SearchConfig(population=config.population, generations=config.generations, mutation=config.mutation)
        rng = np.random.default_rng(derive_seed(self.context.experiment.seed, "ofa_search"))

        def seen(generation: Generation) -> None:
            self._advance(generation.number + 1, 1 - min((c.values[0] for c in generation.front), default=1.0))

        result = nsga2(problem, settings, rng, seen)
        front = [candidate.arch for candidate in sorted(result.front, key=lambda c: c.values[1])]
        wanted = min(len(front), config.targets * config.measured_per_target)
        spread = np.linspace(0, len(front) - 1, wanted).round().astype(int).tolist()
        return [front[index] for index in spread], len(result.candidates)

    def _advance(self, generations: int, best: float) -> None:
        self.context.progress.advance(generations, f"predicted accuracy {best:.1%}")

    def _targets(self) -> list[float]:
        """Latency limits in equal ratios, the smallest first: up to the budget's, or to that of the largest subnet."""
        config, space = self.context.experiment.ofa.search, self.found.space
        least, most = self._latency(space.smallest()), self._latency(space.largest())
        limit = min(self.context.experiment.budget.latency_us or most, most)
        if limit < least:
            raise InfeasibleError(
                f"budget.latency_us is {limit:g}, but the smallest subnet takes about {least:.0f} us on "
                f"{self.context.board.name}; raise it, or offer smaller choices in [space]"
            )
        ratio = (limit / least) ** (1 / config.targets)
        return [least * ratio**step for step in range(1, config.targets + 1)]

    def _scores(self, archs: Sequence[Arch]) -> Sequence[float]:
        scores: list[float] = self.found.mlp.predict(encode(self.found.space, archs)).tolist()
        return scores

    def _latency(self, arch: Arch) -> float:
        if arch not in self._latency_us:
            self._latency_us[arch] = self.found.table.predict(self.found.space.netspec(arch))
        return self._latency_us[arch]

    def _faster(self, limit_us: float) -> Callable[[Arch], bool]:
        return lambda arch: self._latency(arch) <= limit_us * (1 + 1e-9)

    def _fits(self, archs: Sequence[Arch]) -> Sequence[bool]:
        fits: list[bool] = self.costs.batch(archs).fits.tolist()
        return fits

    @cached_property
    def costs(self) -> CandidateCost:
        return CandidateCost(self.found.space, self.context.board, self.found.runtime, self.context.experiment.budget)

    @property
    def _calibration(self) -> Calibration:
        seed = derive_seed(self.context.experiment.seed, "ofa_search", "calibration")
        return Calibration(self.context.experiment.quantise.candidate_images, seed)

    def _row(self, arch: Arch, measured: Measurement, accuracy: float) -> dict[str, Any]:
        limit_us = self.context.experiment.budget.latency_us or float("inf")
        return {
            "arch": list(arch),
            "name": self.found.space.label(arch),
            "predicted_accuracy": self._scores([arch])[0],
            "accuracy_validation": accuracy,
            "predicted_latency_us": self._latency(arch),
            **measured_figures(measured),
            "measured": True,
            "within_limits": measured.latency_us <= limit_us,
            "on_front": False,
        }

    def _summary(self, rows: Sequence[dict[str, Any]], evaluated: int, per_minute: float | None) -> dict[str, Any]:
        points = np.array([[1 - row["accuracy_validation"], row["latency_us"]] for row in rows])
        reference = (points.max(axis=0) * 1.1).tolist()
        off = [abs(row["predicted_latency_us"] / row["latency_us"] - 1) for row in rows]
        return {
            "method": self.context.experiment.ofa.search.method,
            "objectives": ["error", "latency_us"],
            "evaluated": evaluated,
            "measured": len(rows),
            "measured_per_minute": per_minute,
            "hypervolume": hypervolume(points, reference),
            "hypervolume_reference": dict(zip(("error", "latency_us"), reference, strict=True)),
            "latency_table": self.found.table.check.model_dump() if self.found.table.check else None,
            "latency_table_mape": float(np.mean(off)),
        }


def _mark_front(rows: Sequence[dict[str, Any]]) -> None:
    """Sets on_front of those within the limits that no other one dominates, in validation accuracy and latency.

    Raises:
        InfeasibleError: none is within the limits.
    """
    within = [row for row in rows if row["within_limits"]]
    if not within:
        nearest = min(rows, key=lambda row: float(row["latency_us"]))
        raise InfeasibleError(
            f"none of {len(rows)} measured subnets keeps budget.latency_us; the fastest, {nearest['name']}, takes "
            f"{nearest['latency_us']:.0f} us; raise it a little, as the latency table is not exact"
        )
    points = np.array([[1 - row["accuracy_validation"], row["latency_us"]] for row in within])
    for row, keep in zip(within, non_dominated(points), strict=True):
        row["on_front"] = bool(keep)
