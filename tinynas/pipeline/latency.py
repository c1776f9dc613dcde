"""A board's latency table, made by measuring networks of a space on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.nets.network import build_network
from tinynas.pipeline.context import Context
from tinynas.pipeline.files import write_bytes
from tinynas.pipeline.int8 import int8_model
from tinynas.pipeline.measuring import measure_models
from tinynas.pipeline.ofa_config import LatencyTableConfig
from tinynas.plan.fit import RuntimeSize
from tinynas.predict.latency_table import LatencyTable, build_table, covering
from tinynas.space.cost import CandidateCost, feasible_samples
from tinynas.space.netspec import NetSpec
from tinynas.space.protocol import Space

_POOL = 6  # networks drawn for each that is measured

OnMeasured = Callable[[int], None]


@dataclass(frozen=True)
class TableMaker:
    """Measures networks with random weights: what a kernel takes does not depend on them."""

    context: Context
    images: NDArray[np.uint8]  # (n, h, w, c) for the ranges of activations; a few will do
    runtime: RuntimeSize

    def make(self, space: Space, config: LatencyTableConfig, seed: int, on_measured: OnMeasured) -> LatencyTable:
        """The table of `space` on the run's board, checked against networks that it is not built from.

        Measurements are in the store, so what a killed run measured is not measured again.

        Raises:
            InfeasibleError: no drawn network fits the board.
        """
        rng = np.random.default_rng(seed)
        cost = CandidateCost(space, self.context.board, self.runtime)
        archs = feasible_samples(space, cost, rng, config.check_nets + _POOL * config.nets).tolist()
        specs = list(dict.fromkeys(space.netspec(tuple(arch)) for arch in archs))
        count = min(config.check_nets, len(specs) // 3)
        others, pool = specs[:count], specs[count:]
        built = [pool[index] for index in covering(pool, config.nets)]
        found = self.latency_us([*built, *others], on_measured)
        table = build_table(self.context.board.name, built, found[: len(built)])
        return table.checked(others, found[len(built) :])

    def latency_us(self, specs: Sequence[NetSpec], on_measured: OnMeasured = lambda _: None) -> list[float]:
        """Measured latencies of networks with random weights."""
        models = [int8_model(build_network(spec, seed=0).eval(), self.images) for spec in specs]
        return [found.latency_us for found in measure_models(self.context, models, on_measured)]


def write_table(path: Path, table: LatencyTable) -> None:
    """The table as JSON; `LatencyTable.load` reads it."""
    write_bytes(path, (table.model_dump_json(indent=1) + "\n").encode())
