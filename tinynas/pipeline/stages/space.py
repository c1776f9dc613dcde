"""Stage 2: the space to search, narrowed to what suits the board (TinyNAS) where it offers more than is kept."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from tinynas.data.types import Dataset
from tinynas.lab.image_makers import planner_hash
from tinynas.pipeline.context import Context, cores
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.files import read_json, write_json
from tinynas.pipeline.stage_store import StageKey
from tinynas.plan.fit import RuntimeSize
from tinynas.space.choose import SpaceStatistics, choose_space
from tinynas.space.cost import CandidateCost, sample_feasible
from tinynas.space.space import SearchSpace

_VERSION = 2


def find_space(context: Context, data: Dataset, runtime: RuntimeSize) -> SearchSpace:
    """The space of this data on this board.

    Raises:
        InfeasibleError: no sampled network fits the budget; before anything is trained.
    """
    offered = context.experiment.space.with_changes(channels=data.input_shape[2], classes=len(data.classes))
    if _is_narrow(context, offered):
        sample_feasible(offered, candidate_cost(context, offered, runtime), np.random.default_rng(0))
        return offered
    key = _key(context, offered, runtime)
    output = context.stage(key, lambda folder: _choose(context, offered, runtime, folder))
    return SearchSpace.model_validate(read_json(output.folder / "space.json"))


def candidate_cost(context: Context, space: SearchSpace, runtime: RuntimeSize) -> CandidateCost:
    """Exact memory of the space's networks on this run's board, against its budget."""
    return CandidateCost(space, context.board, runtime, context.experiment.budget)


def _is_narrow(context: Context, space: SearchSpace) -> bool:
    return len(space.widths) == 1 and len(space.resolutions) <= context.experiment.space_choice.resolutions


def _key(context: Context, space: SearchSpace, runtime: RuntimeSize) -> StageKey:
    settings = {
        "space": space.model_dump(mode="json"),
        "space_choice": context.experiment.space_choice.model_dump(mode="json"),
        "budget": context.experiment.budget.model_dump(mode="json", exclude={"latency_us"}),
        "board": context.board.model_dump(mode="json"),
        "runtime": asdict(runtime),
        "planner": planner_hash(),
        "seed": context.experiment.seed,
    }
    return StageKey("space", _VERSION, settings)


def _choose(context: Context, space: SearchSpace, runtime: RuntimeSize, folder: Path) -> None:
    config, progress = context.experiment.space_choice, context.progress
    ranked: list[SpaceStatistics] = []
    progress.begin("space", "resolutions and widths compared", len(space.resolutions) * len(space.widths))

    def seen(statistics: SpaceStatistics) -> None:
        ranked.append(statistics)
        progress.advance(len(ranked), f"{statistics.mean_macs / 1e6:.1f} M MACs")

    choice = choose_space(
        space,
        candidate_cost(context, space, runtime),
        derive_seed(context.experiment.seed, "space"),
        samples=config.samples,
        resolutions=config.resolutions,
        jobs=cores(),
        on_space=seen,
    )
    write_json(folder / "ranking.json", [asdict(statistics) for statistics in choice.ranking])
    write_json(folder / "space.json", choice.space.model_dump(mode="json"))
    kept = ", ".join(map(str, choice.space.resolutions))
    progress.end(f"width {choice.space.widths[0]:g} at {kept} pixels: most MACs that fit")
