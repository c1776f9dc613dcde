"""A board's latency table, made by measuring networks of a space on it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import InfeasibleError
from tinynas.lab.measure import Measurement
from tinynas.lab.store import MeasurementStore
from tinynas.nets.network import Network, build_network
from tinynas.pipeline.context import Context
from tinynas.pipeline.files import write_bytes
from tinynas.pipeline.int8 import int8_model
from tinynas.pipeline.measuring import check_exact, open_farm
from tinynas.pipeline.ofa_config import LatencyTableConfig
from tinynas.plan.fit import RuntimeSize
from tinynas.predict.latency_table import LatencyTable, build_table, covering
from tinynas.space.cost import network_cost
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
            InfeasibleError: hardly any network of the space fits the board.
        """
        drawn = self._drawn(space, config.check_nets + _POOL * config.nets, np.random.default_rng(seed))
        others = self._fitting(drawn, config.check_nets)
        pool = [spec for spec in drawn if spec not in set(others)]
        built = self._fitting((pool[index] for index in covering(pool, 2 * config.nets)), config.nets)
        if not (built and others):
            raise InfeasibleError(
                f"{len(built) + len(others)} of {len(drawn)} random networks fit {self.context.board.name}, too few "
                "for a latency table; offer smaller choices in [space], or pick another board"
            )
        found = self.latency_us([*built, *others], on_measured)
        table = build_table(self.context.board.name, built, found[: len(built)])
        return table.checked(others, found[len(built) :])

    def latency_us(self, specs: Sequence[NetSpec], on_measured: OnMeasured = lambda _: None) -> list[float]:
        """Measured latencies of networks with random weights."""
        networks = [build_network(spec, seed=0).eval() for spec in specs]
        return [found.latency_us for found in measure_networks(self.context, networks, self.images, on_measured)]

    @staticmethod
    def _drawn(space: Space, count: int, rng: np.random.Generator) -> list[NetSpec]:
        """Distinct random networks; fewer in a small space."""
        return list(dict.fromkeys(space.netspec(space.sample(rng)) for _ in range(count)))

    def _fitting(self, specs: Iterable[NetSpec], count: int) -> list[NetSpec]:
        """The first `count` of them that fit the board."""
        fitting = (spec for spec in specs if network_cost(spec, self.context.board, self.runtime).fits)
        return list(itertools.islice(fitting, count))


def measure_networks(
    context: Context, networks: Sequence[Network], images: NDArray[np.uint8], on_measured: OnMeasured = lambda _: None
) -> list[Measurement]:
    """The networks made int8 and measured on the run's board, several at a time; those in the store are taken.

    Raises:
        ToolError: a board's outputs are not TFLite Micro's: nothing measured of such a firmware counts.
    """
    models = [int8_model(network, images) for network in networks]
    with open_farm(context) as farm:
        found = farm.measure_all(models, MeasurementStore(context.measurements), lambda p, _: on_measured(p.done))
    for measurement in found:
        check_exact(measurement)
    return found


def write_table(path: Path, table: LatencyTable) -> None:
    """The table as JSON; `LatencyTable.load` reads it."""
    write_bytes(path, (table.model_dump_json(indent=1) + "\n").encode())
