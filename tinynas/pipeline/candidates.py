"""What a search is told of its candidates (`tinynas.search.objectives.Figures`), in one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tinynas.errors import ConfigError
from tinynas.lab.board import Board
from tinynas.pipeline.predicted import Predicted
from tinynas.space.cost import CandidateCost, Cost
from tinynas.space.space import Arch


@dataclass(frozen=True)
class CandidateFigures:
    """Of a library's networks on one board."""

    predicted: Predicted
    latency: Callable[[Sequence[Arch]], Sequence[float]]  # us; measured whole, or summed over measured blocks
    costs: CandidateCost
    board: Board

    def accuracy(self, archs: Sequence[Arch]) -> Sequence[float]:
        return self.predicted(archs)

    def latency_us(self, archs: Sequence[Arch]) -> Sequence[float]:
        return self.latency(archs)

    def cost(self, archs: Sequence[Arch]) -> Sequence[Cost]:
        return list(self.costs.batch(archs))

    def power_mw(self) -> float:
        if self.board.active_power_mw is None:
            raise ConfigError(
                f"energy_uj needs the power of {self.board.name} while it computes; set active_power_mw in its board "
                "file (from the data sheet or a meter), or leave the objective out"
            )
        return self.board.active_power_mw


def limits_of(limits: Mapping[str, float], latency_us: float | None) -> dict[str, float]:
    """`[search] limits` and `[budget] latency_us` together.

    Raises:
        ConfigError: both limit the latency, differently.
    """
    if latency_us is None:
        return dict(limits)
    if limits.get("latency_us", latency_us) != latency_us:
        raise ConfigError(
            f"search.limits.latency_us is {limits['latency_us']:g}, budget.latency_us is {latency_us:g}; set one only"
        )
    return {**limits, "latency_us": latency_us}
