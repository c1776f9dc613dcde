"""What a search can make small or keep below a limit, by name. Another objective is another function here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tinynas.errors import ConfigError
from tinynas.search.problem import Objective
from tinynas.space.space import Arch

if TYPE_CHECKING:
    from tinynas.space.cost import Cost


class Figures(Protocol):
    """What is known of candidates, in batches: a measured figure is taken side by side, and each only once."""

    def accuracy(self, archs: Sequence[Arch]) -> Sequence[float]:
        """Predicted, fractions of 1."""

    def latency_us(self, archs: Sequence[Arch]) -> Sequence[float]:
        """Of one inference on the board, measured or summed over blocks measured."""

    def cost(self, archs: Sequence[Arch]) -> Sequence[Cost]:
        """Exact memory and MACs."""

    def power_mw(self) -> float:
        """Of the board while it computes. Raises ConfigError if its file does not say."""


Values = Callable[[Figures, Sequence[Arch]], Sequence[float]]


@dataclass(frozen=True)
class ObjectiveInfo:
    """A registered objective."""

    name: str  # with its unit
    title: str
    values: Values


OBJECTIVES: dict[str, ObjectiveInfo] = {}


def objective(name: str, title: str) -> Callable[[Values], Values]:
    """Register a function of figures and archs under `name`."""

    def register(values: Values) -> Values:
        if name in OBJECTIVES:
            raise ConfigError(f"objective {name!r} is registered twice; give one another name")
        OBJECTIVES[name] = ObjectiveInfo(name, title, values)
        return values

    return register


@objective("error", "predicted error")
def _error(figures: Figures, archs: Sequence[Arch]) -> Sequence[float]:
    return [1 - accuracy for accuracy in figures.accuracy(archs)]


@objective("latency_us", "latency")
def _latency(figures: Figures, archs: Sequence[Arch]) -> Sequence[float]:
    return figures.latency_us(archs)


@objective("sram_bytes", "peak SRAM")
def _sram(figures: Figures, archs: Sequence[Arch]) -> Sequence[float]:
    return [cost.sram_bytes for cost in figures.cost(archs)]


@objective("flash_bytes", "flash")
def _flash(figures: Figures, archs: Sequence[Arch]) -> Sequence[float]:
    return [cost.flash_bytes for cost in figures.cost(archs)]


@objective("macs", "multiply-accumulates")
def _macs(figures: Figures, archs: Sequence[Arch]) -> Sequence[float]:
    return [cost.macs for cost in figures.cost(archs)]


@objective("energy_uj", "energy of an inference, estimated")
def _energy(figures: Figures, archs: Sequence[Arch]) -> Sequence[float]:
    """The board's power while computing, by its file, times the latency."""
    power_mw = figures.power_mw()
    return [latency_us * power_mw / 1000 for latency_us in figures.latency_us(archs)]


def objectives_of(
    names: Sequence[str], limits: Mapping[str, float], figures: Figures
) -> tuple[tuple[Objective, ...], tuple[Objective, ...]]:
    """The objectives of these names, and constraints: those with a limit that are not among them."""
    others = [name for name in limits if name not in names]
    first, second = ([_of(name, limits.get(name), figures) for name in part] for part in (names, others))
    return tuple(first), tuple(second)


def _of(name: str, limit: float | None, figures: Figures) -> Objective:
    values = OBJECTIVES[name].values
    return Objective(name, lambda archs: values(figures, archs), limit)
