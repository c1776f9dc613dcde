"""NSGA-II (Deb et al. 2002) over a search space's own archs, by pymoo's ask and tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinynas.search.config import SearchConfig
from tinynas.search.problem import Archive, OnGeneration, SearchProblem, SearchResult, first_generation
from tinynas.space.space import Arch

if TYPE_CHECKING:
    from pymoo.algorithms.moo.nsga2 import NSGA2

_FRUITLESS = 20  # generations without a network that fits, before a search for so many candidates ends without them


def nsga2(
    problem: SearchProblem,
    config: SearchConfig,
    rng: np.random.Generator,
    on_generation: OnGeneration = lambda _: None,
) -> SearchResult:
    """The front of `problem` that NSGA-II finds.

    Archs that overflow are never evaluated; they lose to every arch that fits, and to those that overflow less; so
    do, among those that fit, archs beyond an objective's limit (constraint domination). No network is evaluated twice
    or proposed again. Ends after `config.generations`, or with `config.max_evaluated` when so many are evaluated; early
    when no new network that fits turns up.

    Raises:
        InfeasibleError: not one of the first generation fits, or not one evaluated keeps the objectives' limits.
    """
    archive = Archive(problem, config.budget)
    archive.add(first_generation(problem, config.population, rng))
    if not archive.candidates:
        archive.require_solution()
    on_generation(archive.generations[-1])

    algorithm = _algorithm(archive, config, rng)
    while not _done(archive, config) and (offspring := algorithm.ask()) is not None:  # None: mating found nothing new
        archs = [_arch(x) for x in offspring.get("X")]
        archive.add(archs)
        told = [arch for arch in archs if archive.seen(arch)]  # not those past the budget
        algorithm.tell(infills=_population(archive, told))
        on_generation(archive.generations[-1])
    archive.require_solution()
    return archive.result()


def _done(archive: Archive, config: SearchConfig) -> bool:
    """Whether the budget is spent: of generations, or of candidates and then however many generations they take."""
    if config.max_evaluated is None:
        return len(archive.generations) > config.generations
    recent = archive.generations[-_FRUITLESS:]
    return archive.exhausted or (len(recent) == _FRUITLESS and recent[0].evaluated == recent[-1].evaluated)


def _algorithm(archive: Archive, config: SearchConfig, rng: np.random.Generator) -> NSGA2:
    """pymoo's NSGA-II, already told about the archive."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem
    from pymoo.core.termination import NoTermination

    from tinynas.search.operators import NewArchs, SpaceCrossover, SpaceMutation

    space = archive.problem.space
    algorithm = NSGA2(
        pop_size=config.population,
        crossover=SpaceCrossover(space, config.crossover),
        mutation=SpaceMutation(space, config.mutation),
        eliminate_duplicates=NewArchs(archive),
    )
    shape = Problem(n_var=len(space.gene_sizes), n_obj=len(archive.problem.objectives), n_ieq_constr=1)
    algorithm.setup(shape, termination=NoTermination(), seed=int(rng.integers(2**31)))
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
