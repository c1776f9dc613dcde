"""Once-for-All, stage 4: the board's latency table; the only stage before the search that needs the board."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinynas.data.types import Dataset
from tinynas.lab.image_makers import image_makers
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.int8 import calibration_images
from tinynas.pipeline.latency import TableMaker, write_table
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.plan.fit import RuntimeSize
from tinynas.predict.latency_table import LatencyTable
from tinynas.space.elastic import ElasticSpace
from tinynas.space.space import SearchSpace

_VERSION = 2
_IMAGES = 2  # for the ranges of activations, of networks with random weights


def make_latency_table(
    context: Context, data: Dataset, space: ElasticSpace | SearchSpace, runtime: RuntimeSize
) -> Output:
    """latency_table.json, for the board, its firmware and the space, whatever the budget."""
    config = context.experiment.ofa.latency_table
    settings: dict[str, Any] = {
        "space": space.model_dump(mode="json"),
        "latency_table": config.model_dump(mode="json"),
        "board": context.board.model_dump(mode="json"),
        **image_makers(context.board),
        "seed": context.experiment.seed,
    }
    return context.stage(
        StageKey("latency_table", _VERSION, settings), lambda folder: _make(context, data, space, runtime, folder)
    )


def load_latency_table(output: Output) -> LatencyTable:
    """The table of the stage's output."""
    return LatencyTable.load(output.folder / "latency_table.json")


def _make(
    context: Context, data: Dataset, space: ElasticSpace | SearchSpace, runtime: RuntimeSize, folder: Path
) -> None:
    config, progress = context.experiment.ofa.latency_table, context.progress
    seed = derive_seed(context.experiment.seed, "latency_table")
    images = calibration_images(data.train, _IMAGES, seed)
    progress.begin("latency_table", "networks timed on the board", config.nets + config.check_nets)
    table = TableMaker(context, images, runtime).make(space, config, seed, progress.advance)
    write_table(folder / "latency_table.json", table)
    progress.end(table_line(table))


def table_line(table: LatencyTable) -> str:
    """How good a table is, in one line."""
    line = f"{len(table.entries)} blocks and ends, out of {table.nets} networks"
    if table.check is None:
        return line
    return (
        f"{line}; {table.check.mape:.1%} off on average on {table.check.nets} others, {table.check.worst:.1%} at worst"
    )
