"""Stage 6: NSGA-II on predicted error and measured latency, under the board's memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinynas.data.types import Dataset
from tinynas.distill.library import Library
from tinynas.lab.build import firmware
from tinynas.lab.farm import Farm
from tinynas.lab.measure import Measurement
from tinynas.lab.store import MeasurementStore
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.features import Features
from tinynas.pipeline.files import read_json, write_json
from tinynas.pipeline.int8 import calibration_images
from tinynas.pipeline.measuring import Measurer, RateLog, open_farm
from tinynas.pipeline.predicted import Predicted
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.pipeline.stages.space import candidate_cost
from tinynas.plan.fit import RuntimeSize
from tinynas.predict.quality import AccuracyPredictor
from tinynas.search.nsga2 import search
from tinynas.search.problem import Generation, Objective, SearchProblem, SearchResult
from tinynas.space.cost import sample_feasible
from tinynas.space.space import Arch

_VERSION = 1


@dataclass(frozen=True)
class Found:
    """What the search measured, of the networks that keep the latency limit."""

    latency_us: dict[Arch, float]
    predicted_accuracy: dict[Arch, float]
    front: tuple[Arch, ...]

    @classmethod
    def load(cls, output: Output) -> Found:
        rows = [row for row in read_json(output.folder / "candidates.json") if row["within_limits"]]
        archs = [tuple(row["arch"]) for row in rows]
        return cls(
            {arch: row["latency_us"] for arch, row in zip(archs, rows, strict=True)},
            {arch: row["predicted_accuracy"] for arch, row in zip(archs, rows, strict=True)},
            tuple(arch for arch, row in zip(archs, rows, strict=True) if row["on_front"]),
        )


def run_search(
    context: Context,
    data: Dataset,
    library: Library,
    predictor: AccuracyPredictor,
    runtime: RuntimeSize,
    upstream: dict[str, str],
) -> Output:
    """candidates.json: everything measured; search.json: how the search went.

    Raises:
        InfeasibleError: no network keeps the budget; the nearest is named.
    """
    settings = {
        "search": context.experiment.search.model_dump(mode="json"),
        "budget": context.experiment.budget.model_dump(mode="json"),
        "calibration": context.experiment.quantise.candidate_images,
        "board": context.board.model_dump(mode="json"),
        "firmware": firmware(context.board).firmware_hash,
        "seed": context.experiment.seed,
    }
    work = _Work(context, data, library, Predicted(predictor, Features(library, data)), runtime)
    return context.stage(StageKey("search", _VERSION, settings, upstream), work.run)


@dataclass(frozen=True)
class _Work:
    context: Context
    data: Dataset
    library: Library
    predicted: Predicted
    runtime: RuntimeSize

    def run(self, folder: Path) -> None:
        config, progress = self.context.experiment.search, self.context.progress
        most = config.max_evaluated or config.population * (config.generations + 1)
        progress.begin("search", "candidates built, flashed and timed", most)
        with open_farm(self.context) as farm:
            measurer = self._measurer(farm, folder)
            rng = np.random.default_rng(derive_seed(self.context.experiment.seed, "search"))
            generations: list[Generation] = []
            measurer.on_measured = lambda done: progress.advance(done, _note(generations, measurer.rate))
            result = search(self._problem(measurer), config, rng, generations.append)
        self._save(result, measurer, folder)
        rate = measurer.rate.per_minute()
        speed = "all from the store" if rate is None else f"{rate:.0f} new ones per minute"
        progress.end(f"{len(result.candidates)} measured ({speed}), {len(result.front)} on the front")

    def _measurer(self, farm: Farm, folder: Path) -> Measurer:
        seed = derive_seed(self.context.experiment.seed, "search", "calibration")
        images = calibration_images(self.data.train, self.context.experiment.quantise.candidate_images, seed)
        store = MeasurementStore(self.context.measurements)
        return Measurer(self.library, farm, store, images, RateLog(folder / "rate.jsonl"))

    def _problem(self, measurer: Measurer) -> SearchProblem:
        space = self.library.space
        cost = candidate_cost(self.context, space, self.runtime)
        latency_limit_us = self.context.experiment.budget.latency_us
        return SearchProblem(
            space,
            (
                Objective("error", lambda archs: [1 - accuracy for accuracy in self.predicted(archs)]),
                Objective("latency_us", lambda archs: [m.latency_us for m in measurer(archs)], latency_limit_us),
            ),
            cost.overflow,
            lambda rng: sample_feasible(space, cost, rng),
            (space.smallest(), space.largest()),
        )

    def _save(self, result: SearchResult, measurer: Measurer, folder: Path) -> None:
        front = {candidate.arch for candidate in result.front}
        limit_us = self.context.experiment.budget.latency_us or float("inf")
        rows = [
            {
                "arch": list(arch),
                "name": self.library.space.label(arch),
                "predicted_accuracy": self.predicted([arch])[0],
                **measured_figures(measurer.known[arch]),
                "within_limits": measurer.known[arch].latency_us <= limit_us,
                "on_front": arch in front,
            }
            for arch in (candidate.arch for candidate in result.candidates)
        ]
        last = result.generations[-1]
        summary = {
            "evaluated": last.evaluated + last.rejected,
            "measured": len(rows),
            "measured_per_minute": measurer.rate.per_minute(),
            "hypervolume": [generation.hypervolume for generation in result.generations],
            "hypervolume_reference": dict(zip(result.objectives, result.reference, strict=True)),
        }
        write_json(folder / "candidates.json", rows)
        write_json(folder / "search.json", summary)


def measured_figures(measurement: Measurement) -> dict[str, Any]:
    """What the run's files tell of a measurement."""
    names = ("latency_us", "latency_kind", "instructions", "peak_sram_bytes", "runner_sram_bytes", "arena_bytes")
    fields = measurement.model_dump()
    return {name: fields[name] for name in (*names, "flash_bytes", "macs", "bit_exact", "sha256")}


def _note(generations: list[Generation], rate: RateLog) -> str:
    per_minute = rate.per_minute()
    speed = "" if per_minute is None else f"{per_minute:.0f} per minute"
    volume = f", hypervolume {generations[-1].hypervolume:.4f}" if generations else ""
    return speed + volume
