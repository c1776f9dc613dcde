"""NSGA-II (Deb et al. 2002) over a search space's own archs, by pymoo's ask and tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinynas.search.config import SearchConfig
from tinynas.search.problem import Archive, OnGeneration, SearchProblem, SearchResult, first_generation
from tinynas.space.space import Arch

if TYPE_CHECKING:
    from pymoo.algorithms.moo.nsga2 import NSGA2


def nsga2(
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
    archive = Archive(problem, config.budget)
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
