"""Once-for-All's evolutionary search (arXiv 1908.09791 section 3.4; mit-han-lab/once-for-all, evolution.py).

The most accurate subnet within the limits, by predictors alone. What breaks a limit that is checked one by one never
enters the population; limits that are checked of many at once, such as exact memory, decide who may be a parent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field, NonNegativeInt

from tinynas.errors import InfeasibleError
from tinynas.space.elastic import ElasticSpace
from tinynas.space.space import Arch

Probability = Annotated[float, Field(ge=0, le=1)]

_TRIES = 100  # per child that is to be within the limits
_DRAWS = 50  # per subnet of the first population


class EvolutionConfig(BaseModel, frozen=True, extra="forbid"):
    """The `[ofa.search]` table of an experiment."""

    method: Literal["evolution", "nsga2"] = "evolution"  # one search per latency target, or one for the whole front
    population: Annotated[int, Field(ge=4)] = 100
    generations: NonNegativeInt = 30
    parents: Annotated[float, Field(gt=0, le=1)] = 0.25  # evolution: best share, kept and bred from
    mutated: Probability = 0.5  # evolution: share of the children that one parent has; the others have two
    mutation: Probability = 0.1  # of each block and each depth
    resolution_mutation: Probability = 0.5  # evolution
    targets: Annotated[int, Field(ge=1)] = 5  # latencies searched for, the budget's the largest of them
    measured_per_target: Annotated[int, Field(ge=1)] = 4  # of the best subnets found


@dataclass(frozen=True)
class EvolutionProblem:
    """Find the arch of `space` with the largest score among those allowed."""

    space: ElasticSpace
    scores: Callable[[Sequence[Arch]], Sequence[float]]  # predicted accuracies
    allowed: Callable[[Arch], bool]  # whether an arch keeps the limits that are checked one by one
    fits: Callable[[Sequence[Arch]], Sequence[bool]] = lambda archs: (
        [True] * len(archs)
    )  # whether archs keep the others
    initial: tuple[Arch, ...] = ()  # in the first population where they are allowed


@dataclass(frozen=True)
class Evolved:
    """What an evolution found."""

    best: Arch
    score: float
    parents: tuple[Arch, ...]  # the last ones, best first
    evaluated: int  # distinct subnets that were scored
    history: tuple[float, ...]  # best score after each generation; never falls


OnGeneration = Callable[[int, float], None]


def evolve(
    problem: EvolutionProblem,
    config: EvolutionConfig,
    rng: np.random.Generator,
    on_generation: OnGeneration = lambda number, best: None,
) -> Evolved:
    """Breed from the best; `on_generation(number from 0, best score)`.

    Raises:
        InfeasibleError: no random subnet keeps the limits.
    """
    state = _State(problem, config, rng)
    parents = state.best(state.first())
    history = [state.known[parents[0]]]
    on_generation(0, history[0])
    for number in range(1, config.generations + 1):
        parents = state.best([*parents, *state.children(parents)])
        history.append(state.known[parents[0]])
        on_generation(number, history[-1])
    return Evolved(parents[0], history[-1], tuple(parents), len(state.known), tuple(history))


@dataclass
class _State:
    problem: EvolutionProblem
    config: EvolutionConfig
    rng: np.random.Generator
    known: dict[Arch, float] = field(default_factory=dict)  # score of all that were in the population
    unfit: set[Arch] = field(default_factory=set)  # of those

    def first(self) -> list[Arch]:
        """The given subnets and random ones within the limits; fewer than a population where the limits are tight."""
        space = self.problem.space
        found = {space.canonical(arch) for arch in self.problem.initial if self.problem.allowed(arch)}
        population = sorted(found)
        for _ in range(_DRAWS * self.config.population):
            if len(population) >= self.config.population:
                break
            arch = space.sample(self.rng)
            if self.problem.allowed(arch):
                population.append(arch)
        return population

    def best(self, population: Sequence[Arch]) -> list[Arch]:
        """The parents, best first."""
        new = [arch for arch in dict.fromkeys(population) if arch not in self.known]
        if new:
            self.known |= dict(zip(new, map(float, self.problem.scores(new)), strict=True))
            self.unfit |= {arch for arch, fits in zip(new, self.problem.fits(new), strict=True) if not fits}
        fitting = [arch for arch in dict.fromkeys(population) if arch not in self.unfit]
        count = max(1, round(self.config.parents * self.config.population))
        parents = sorted(fitting, key=self.known.__getitem__, reverse=True)[:count]
        if not parents:
            raise InfeasibleError(
                f"no random subnet keeps the limits ({len(self.known)} keep the latency alone); raise "
                "the latency or memory budget, or offer smaller choices in [space]"
            )
        return parents

    def children(self, parents: Sequence[Arch]) -> list[Arch]:
        mutants = round(self.config.mutated * self.config.population)
        makers = [self._mutant] * mutants + [self._crossed] * (self.config.population - mutants)
        made = [self._within(lambda make=make: make(parents)) for make in makers]  # type: ignore[misc]
        return [child for child in made if child is not None]

    def _mutant(self, parents: Sequence[Arch]) -> Arch:
        config, parent = self.config, parents[int(self.rng.integers(len(parents)))]
        return self.problem.space.mutate(parent, self.rng, config.mutation, config.resolution_mutation)

    def _crossed(self, parents: Sequence[Arch]) -> Arch:
        mother, father = (parents[int(self.rng.integers(len(parents)))] for _ in range(2))
        return self.problem.space.crossover(mother, father, self.rng)

    def _within(self, draw: Callable[[], Arch]) -> Arch | None:
        """The first draw that keeps the limits; None if there is none for long."""
        for _ in range(_TRIES):
            arch = draw()
            if self.problem.allowed(arch):
                return arch
        return None
