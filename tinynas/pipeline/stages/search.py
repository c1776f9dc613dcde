"""Stage 6: the search, by default NSGA-II on predicted error and measured latency, under the board's memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tinynas.data.types import Dataset
from tinynas.distill.library import Library
from tinynas.lab.farm import Farm
from tinynas.lab.image_makers import image_makers
from tinynas.lab.measure import Measurement
from tinynas.lab.store import MeasurementStore
from tinynas.pipeline.candidates import CandidateFigures, limits_of
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed, digest
from tinynas.pipeline.features import Features
from tinynas.pipeline.files import read_json, write_json
from tinynas.pipeline.int8 import calibration_images
from tinynas.pipeline.measuring import Measurer, RateLog, open_farm
from tinynas.pipeline.predicted import Predicted
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.pipeline.stages.space import candidate_cost
from tinynas.plan.fit import RuntimeSize
from tinynas.predict.latency_table import LatencyTable
from tinynas.predict.quality import AccuracyPredictor
from tinynas.search.methods import search
from tinynas.search.objectives import objectives_of
from tinynas.search.picture import front_picture
from tinynas.search.problem import Archive, Candidate, Generation, SearchProblem, SearchResult
from tinynas.space.cost import CandidateCost, sample_feasible
from tinynas.space.space import Arch

_VERSION = 2


@dataclass(frozen=True)
class Found:
    """What the search measured, of the networks that keep the limits."""

    latency_us: dict[Arch, float]
    predicted_accuracy: dict[Arch, float]
    front: tuple[Arch, ...]
    costs: dict[Arch, tuple[float, ...]]  # what was made small beside the error

    @property
    def digest(self) -> str:
        """Of all of it."""
        nets = [[arch, us, self.predicted_accuracy[arch], self.costs[arch]] for arch, us in self.latency_us.items()]
        return digest([nets, self.front])

    @classmethod
    def load(cls, output: Output) -> Found:
        names = [name for name in read_json(output.folder / "search.json")["objectives"] if name != "error"]
        rows = [row for row in read_json(output.folder / "candidates.json") if row["within_limits"] and row["measured"]]
        archs = [tuple(row["arch"]) for row in rows]
        return cls(
            {arch: row["latency_us"] for arch, row in zip(archs, rows, strict=True)},
            {arch: row["predicted_accuracy"] for arch, row in zip(archs, rows, strict=True)},
            tuple(arch for arch, row in zip(archs, rows, strict=True) if row["on_front"]),
            {arch: tuple(row["objectives"][name] for name in names) for arch, row in zip(archs, rows, strict=True)},
        )


def run_search(
    context: Context,
    data: Dataset,
    features: Features,
    predictor: AccuracyPredictor,
    runtime: RuntimeSize,
    upstream: dict[str, str],
    table: LatencyTable | None = None,
) -> Output:
    """candidates.json: everything evaluated; search.json: how the search went.

    With `table`, candidates' latencies are its sums over blocks; only the front is measured, at the end.

    Raises:
        InfeasibleError: no network keeps the budget and the limits; the nearest is named.
    """
    settings = {
        "search": context.experiment.search.model_dump(mode="json"),
        "budget": context.experiment.budget.model_dump(mode="json"),
        "calibration": context.experiment.quantise.candidate_images,
        "board": context.board.model_dump(mode="json"),
        **image_makers(context.board),
        "seed": context.experiment.seed,
    }
    work = _Work(context, data, features.library, Predicted(predictor, features), runtime, table)
    return context.stage(StageKey("search", _VERSION, settings, upstream), work.run)


@dataclass(frozen=True)
class _Work:
    context: Context
    data: Dataset
    library: Library
    predicted: Predicted
    runtime: RuntimeSize
    table: LatencyTable | None

    @cached_property
    def costs(self) -> CandidateCost:
        return candidate_cost(self.context, self.library.space, self.runtime)

    def run(self, folder: Path) -> None:
        config, progress = self.context.experiment.search, self.context.progress
        progress.begin("search", "candidates evaluated", config.budget)
        with open_farm(self.context) as farm:
            measurer = self._measurer(farm, folder)
            problem = self._problem(measurer.latency_us if self.table is None else self._summed)
            rng = np.random.default_rng(derive_seed(self.context.experiment.seed, "search"))
            seen = _Seen(self.context, problem, measurer)
            measurer.on_measured = seen.measured
            result = search(problem, config, rng, seen.generation)
            final = Archive(self._problem(measurer.latency_us))
            measurer([candidate.arch for candidate in result.front])
            final.add([candidate.arch for candidate in result.front])
        final.require_solution()
        self._save(problem, result, final, measurer, folder)
        rate = measurer.rate.per_minute()
        speed = "all from the store" if rate is None else f"{rate:.0f} new ones per minute"
        progress.end(
            f"{len(result.candidates)} evaluated, {len(measurer.known)} measured ({speed}), "
            f"{len(final.front())} on the front"
        )

    def _summed(self, archs: Sequence[Arch]) -> list[float]:
        assert self.table is not None
        return [self.table.predict(self.library.space.netspec(arch)) for arch in archs]

    def _measurer(self, farm: Farm, folder: Path) -> Measurer:
        seed = derive_seed(self.context.experiment.seed, "search", "calibration")
        images = calibration_images(self.data.train, self.context.experiment.quantise.candidate_images, seed)
        store = MeasurementStore(self.context.measurements)
        return Measurer(self.library, farm, store, images, RateLog(folder / "rate.jsonl"))

    def _problem(self, latency: Callable[[Sequence[Arch]], Sequence[float]]) -> SearchProblem:
        space, config = self.library.space, self.context.experiment.search
        figures = CandidateFigures(self.predicted, latency, self.costs, self.context.board)
        limits = limits_of(config.limits, self.context.experiment.budget.latency_us)
        objectives, constraints = objectives_of(config.objectives, limits, figures)
        return SearchProblem(
            space,
            objectives,
            self.costs.overflows,
            lambda rng: sample_feasible(space, self.costs, rng),
            (space.smallest(), space.largest()),
            constraints=constraints,
        )

    def _save(
        self, problem: SearchProblem, result: SearchResult, final: Archive, measurer: Measurer, folder: Path
    ) -> None:
        """`final`: the front that the search found, with measured latencies."""
        front = {candidate.arch for candidate in final.front()}
        known = [final.candidates.get(candidate.arch, candidate) for candidate in result.candidates]
        rows = [self._row(problem, candidate, measurer, candidate.arch in front) for candidate in known]
        last = result.generations[-1]
        summary = {
            "method": self.context.experiment.search.method,
            "objectives": list(result.objectives),
            "evaluated": last.evaluated + last.rejected,
            "measured": len(measurer.known),
            "measured_per_minute": measurer.rate.per_minute(),
            "hypervolume": [generation.hypervolume for generation in result.generations],
            "hypervolume_reference": dict(zip(result.objectives, result.reference, strict=True)),
            "latency": self._additivity(measurer),
            "front": [_told(row) for row in rows if row["on_front"]],
        }
        write_json(folder / "candidates.json", rows)
        write_json(folder / "search.json", summary)

    def _additivity(self, measurer: Measurer) -> dict[str, Any]:
        """Where latencies come from; of sums over blocks also how far they are off."""
        if self.table is None:
            return {"kind": "measured"}
        archs = list(measurer.known)
        off = [abs(s / m - 1) for s, m in zip(self._summed(archs), measurer.latency_us(archs), strict=True)]
        check = self.table.check.model_dump() if self.table.check else None
        return {"kind": "blocks", "nets": self.table.nets, "check": check, "front_mape": float(np.mean(off))}

    def _row(self, problem: SearchProblem, candidate: Candidate, measurer: Measurer, on_front: bool) -> dict[str, Any]:
        """A measured candidate's figures; of another the planner's, and its latency if that was estimated."""
        values = dict(zip([o.name for o in problem.evaluated], candidate.all_values, strict=True))
        measured, cost = candidate.arch in measurer.known, self.costs(candidate.arch)
        planned = {
            "latency_us": values.get("latency_us"),
            "peak_sram_bytes": cost.sram_bytes,
            "flash_bytes": cost.flash_bytes,
            "macs": cost.macs,
        }
        return {
            "arch": list(candidate.arch),
            "name": self.library.space.label(candidate.arch),
            "predicted_accuracy": self.predicted([candidate.arch])[0],
            **(measured_figures(measurer.known[candidate.arch]) if measured else planned),
            "objectives": values,
            "measured": measured,
            "within_limits": problem.excess(candidate.all_values) == 0.0,
            "on_front": on_front,
        }


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Of the front, before any finetuning."""
    names = ("arch", "name", "predicted_accuracy", "latency_us", "peak_sram_bytes", "flash_bytes", "macs")
    return {name: row[name] for name in names}


@dataclass
class _Seen:
    """Tells the progress how the search goes."""

    context: Context
    problem: SearchProblem
    measurer: Measurer
    last: Generation | None = None

    def measured(self, count: int) -> None:
        self.context.progress.advance(max(count, self.last.evaluated if self.last else 0), self._note())

    def generation(self, generation: Generation) -> None:
        self.last = generation
        self.context.progress.advance(generation.evaluated, self._note())
        self.context.progress.view(front_picture(generation, self.problem.names))

    def _note(self) -> str:
        per_minute = self.measurer.rate.per_minute()
        speed = "" if per_minute is None else f"{per_minute:.0f} per minute"
        return speed + (f", hypervolume {self.last.hypervolume:.4f}" if self.last else "")


def measured_figures(measurement: Measurement) -> dict[str, Any]:
    """What the run's files tell of a measurement."""
    names = ("latency_us", "latency_kind", "instructions", "peak_sram_bytes", "runner_sram_bytes", "arena_bytes")
    fields = measurement.model_dump()
    return {name: fields[name] for name in (*names, "flash_bytes", "macs", "bit_exact", "sha256")}
