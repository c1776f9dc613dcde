"""NSGA-II (Deb et al. 2002) over a search space's own archs, by pymoo's ask and tell.

A killed search is resumed by running it again: all draws come from one seed and a measurement is taken from the
store the second time, so the replay asks the same questions, gets the same answers and goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, NonNegativeInt, PositiveInt

from tinynas.search.problem import Archive, Generation, SearchProblem, SearchResult
from tinynas.space.space import Arch

if TYPE_CHECKING:
    from pymoo.algorithms.moo.nsga2 import NSGA2

Probability = Annotated[float, Field(ge=0, le=1)]
OnGeneration = Callable[[Generation], None]

_DRAWS_PER_ARCH = 50  # of the first generation, before it is left smaller


class SearchConfig(BaseModel, frozen=True, extra="forbid"):
    """The `[search]` table of an experiment."""

    population: Annotated[int, Field(ge=4)] = 24
    generations: NonNegativeInt = 10  # after the first
    crossover: Probability = 0.9  # else a child starts as a copy of its mother
    mutation: Probability = 0.1  # of each gene (as once-for-all's evolution); one gene changes at least
    max_evaluated: PositiveInt | None = None  # distinct candidates, so measurements; None: population x generations


def search(
    problem: SearchProblem,
    config: SearchConfig,
    rng: np.random.Generator,
    on_generation: OnGeneration = lambda _: None,
) -> SearchResult:
    """The front of `problem` that NSGA-II finds.

    Archs that overflow are never evaluated; they lose to every arch that fits, and to those that overflow less; so
    do, among those that fit, archs beyond an objective's limit (constraint domination). No network is evaluated twice
    or proposed again. Ends early when the budget is spent or no new network turns up.

    Raises:
        InfeasibleError: not one of the first generation fits, or not one evaluated keeps the objectives' limits.
    """
    archive = Archive(problem, config.max_evaluated)
    archive.add(first_generation(problem, config.population, rng))
    if not archive.candidates:
        archive.require_solution()
    on_generation(archive.generations[-1])

    algorithm = _algorithm(archive, config, rng)
    for _ in range(config.generations):
        offspring = algorithm.ask()
        if archive.exhausted or offspring is None:  # None: mating found nothing new
            break
        archs = [_arch(x) for x in offspring.get("X")]
        archive.add(archs)
        told = [arch for arch in archs if archive.seen(arch)]  # not those past the budget
        algorithm.tell(infills=_population(archive, told))
        on_generation(archive.generations[-1])
    archive.require_solution()
    return archive.result()


def first_generation(problem: SearchProblem, size: int, rng: np.random.Generator) -> list[Arch]:
    """The problem's initial archs and distinct samples, `size` together; fewer if a small space has no more."""
    archs = dict.fromkeys(problem.space.canonical(arch) for arch in problem.initial)
    for _ in range(size * _DRAWS_PER_ARCH):
        if len(archs) >= size:
            break
        archs[problem.sample(rng)] = None
    return list(archs)


def _algorithm(archive: Archive, config: SearchConfig, rng: np.random.Generator) -> NSGA2:
    """pymoo's NSGA-II, already told about the archive."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem

    from tinynas.search.operators import NewArchs, SpaceCrossover, SpaceMutation

    space = archive.problem.space
    algorithm = NSGA2(
        pop_size=config.population,
        crossover=SpaceCrossover(space, config.crossover),
        mutation=SpaceMutation(space, config.mutation),
        eliminate_duplicates=NewArchs(archive),
    )
    shape = Problem(n_var=len(space.gene_sizes), n_obj=len(archive.problem.objectives), n_ieq_constr=1)
    algorithm.setup(shape, termination=("n_gen", config.generations + 2), seed=int(rng.integers(2**31)))
    algorithm.tell(infills=_population(archive, [*archive.candidates, *archive.overflows]))
    return algorithm


def _population(archive: Archive, archs: list[Arch]) -> Any:
    from pymoo.core.population import Population

    return Population.new(
        X=np.array(archs),
        F=np.array([archive.values(arch) for arch in archs]),
        G=np.array([[archive.violation(arch)] for arch in archs]),
    )


def _arch(row: np.ndarray[Any, np.dtype[np.int64]]) -> Arch:
    return tuple(int(gene) for gene in row)
