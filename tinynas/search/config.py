"""The `[search]` table of an experiment."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator

from tinynas.search.objectives import OBJECTIVES

Probability = Annotated[float, Field(ge=0, le=1)]


class SearchConfig(BaseModel, frozen=True, extra="forbid"):
    """How the space is searched, for what, and how much."""

    method: Literal["nsga2", "aging", "random"] = "nsga2"  # of tinynas.search.methods
    objectives: Annotated[tuple[str, ...], Field(min_length=1)] = ("error", "latency_us")  # to be made small
    limits: dict[str, PositiveFloat] = {}  # by objective's name, of any that exist; a network above one is no solution
    # every candidate timed, or summed over blocks by a table made once ([ofa.latency_table]) and only the front timed
    latency: Literal["measured", "blocks"] = "measured"
    population: Annotated[int, Field(ge=4)] = 24
    generations: NonNegativeInt = 10  # after the first; what sets the budget where max_evaluated does not
    crossover: Probability = 0.9  # nsga2; else a child starts as a copy of its mother
    mutation: Probability = 0.1  # of each gene (as once-for-all's evolution); one gene changes at least
    tournament: Annotated[int, Field(ge=2)] | None = None  # aging; None: a quarter of the population
    batch: PositiveInt = 8  # aging: children evaluated side by side
    # distinct candidates, so measurements, however many generations they take; None: population x (generations + 1)
    max_evaluated: PositiveInt | None = None

    @field_validator("objectives", "limits")
    @classmethod
    def _known(cls, names: tuple[str, ...] | dict[str, float]) -> tuple[str, ...] | dict[str, float]:
        unknown = [name for name in names if name not in OBJECTIVES]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no objective; there are {', '.join(OBJECTIVES)}")
        if len(set(names)) != len(names):
            raise ValueError("name each objective once")
        return names

    @property
    def budget(self) -> int:
        """Candidates to evaluate, by any method; fewer only where no new network that fits turns up."""
        return self.max_evaluated or self.population * (self.generations + 1)
