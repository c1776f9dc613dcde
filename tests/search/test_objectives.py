from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from pydantic import ValidationError

from tinynas.errors import ConfigError
from tinynas.search.config import SearchConfig
from tinynas.search.objectives import OBJECTIVES, Figures, objective, objectives_of
from tinynas.space.cost import Cost
from tinynas.space.space import Arch


@dataclass
class Known:
    """Figures of archs of one gene: the gene says how large everything is."""

    def accuracy(self, archs: Sequence[Arch]) -> Sequence[float]:
        return [1 - arch[0] / 10 for arch in archs]

    def latency_us(self, archs: Sequence[Arch]) -> Sequence[float]:
        return [1000.0 * arch[0] for arch in archs]

    def cost(self, archs: Sequence[Arch]) -> Sequence[Cost]:
        return [Cost(1, 2 * arch[0], 3 * arch[0], 4 * arch[0], 5, 100, 100) for arch in archs]

    def power_mw(self) -> float:
        return 50.0


def test_every_objective_reads_its_figure() -> None:
    objectives, _ = objectives_of(list(OBJECTIVES), {}, Known())
    found = {each.name: each.evaluate([(2,)])[0] for each in objectives}
    expected = {
        "error": pytest.approx(0.2),
        "latency_us": 2000.0,
        "sram_bytes": 4,
        "flash_bytes": 6,
        "macs": 8,
        "energy_uj": pytest.approx(100.0),  # 50 mW for 2 ms
    }
    assert {name: found[name] for name in expected} == expected


def test_limits_make_constraints_of_what_is_no_objective() -> None:
    objectives, constraints = objectives_of(["error", "macs"], {"macs": 7.0, "flash_bytes": 9.0}, Known())
    assert [(each.name, each.limit) for each in objectives] == [("error", None), ("macs", 7.0)]
    assert [(each.name, each.limit) for each in constraints] == [("flash_bytes", 9.0)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objectives": ["error", "speed"]}, "'speed' is no objective; there are error, latency_us"),
        ({"limits": {"sram": 1}}, "'sram' is no objective"),
        ({"objectives": ["error", "error"]}, "name each objective once"),
        ({"objectives": []}, "at least 1"),
    ],
)
def test_wrong_names_are_told_with_the_right_ones(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SearchConfig.model_validate(settings)


def test_a_new_objective_is_one_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinynas.search.objectives.OBJECTIVES", (own := dict(OBJECTIVES)))

    @objective("params", "parameters")
    def _params(figures: Figures, archs: Sequence[Arch]) -> Sequence[float]:
        return [cost.parameters for cost in figures.cost(archs)]

    assert own["params"].values(Known(), [(1,)]) == [5]
    with pytest.raises(ConfigError, match="registered twice"):
        objective("error", "another error")(_params)
