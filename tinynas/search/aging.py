"""Regularised evolution (Real et al., AAAI 2019, arXiv 1802.01548, algorithm 1), for several objectives.

The population is a queue: of a random sample of it the best becomes a parent, its mutated child joins at one end, and
the oldest network leaves at the other, however good it is. Real et al. have one objective. With several, each
tournament ranks by other random weights (as uNAS, arXiv 2010.14246): the largest weighted objective counts, in units
of the hypervolume's reference; networks beyond a limit lose to those within, by how far they are beyond.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from tinynas.search.config import SearchConfig
from tinynas.search.pareto import Floats
from tinynas.search.problem import Archive, OnGeneration, SearchProblem, SearchResult, first_generation
from tinynas.space.space import Arch

_TRIES_PER_CHILD = 50  # before a batch is left smaller for want of new networks


def aging_evolution(
    problem: SearchProblem,
    config: SearchConfig,
    rng: np.random.Generator,
    on_generation: OnGeneration = lambda _: None,
) -> SearchResult:
    """Children are drawn and evaluated `config.batch` at a time, so that they can be measured side by side.

    Raises:
        InfeasibleError: nothing fits the board, or not one evaluated network keeps the limits.
    """
    archive = Archive(problem, config.budget)
    archive.add(first_generation(problem, config.population, rng))
    if not archive.candidates:
        archive.require_solution()
    on_generation(archive.generations[-1])
    population = deque(archive.candidates, maxlen=config.population)
    while not archive.exhausted and (children := _children(archive, population, config, rng)):
        archive.add(children)
        population.extend(arch for arch in children if arch in archive.candidates)  # the oldest drop out
        on_generation(archive.generations[-1])
    archive.require_solution()
    return archive.result()


def _children(archive: Archive, population: deque[Arch], config: SearchConfig, rng: np.random.Generator) -> list[Arch]:
    """Up to a batch of new archs that fit."""
    wanted = min(config.batch, config.budget - len(archive.candidates))
    children: dict[Arch, None] = {}
    tries = config.batch * _TRIES_PER_CHILD
    while len(children) < wanted and tries > 0:
        drawn = [_child(archive, population, config, rng) for _ in range(min(tries, wanted - len(children)))]
        tries -= len(drawn)
        new = [child for child in dict.fromkeys(drawn) if child not in children and not archive.seen(child)]
        overflows = zip(new, archive.problem.overflows(new), strict=True)
        children |= {child: None for child, overflow in overflows if overflow <= 0}
    return list(children)


def _child(archive: Archive, population: deque[Arch], config: SearchConfig, rng: np.random.Generator) -> Arch:
    return archive.problem.space.mutate(_parent(archive, population, config, rng), rng, config.mutation)


def _parent(archive: Archive, population: deque[Arch], config: SearchConfig, rng: np.random.Generator) -> Arch:
    """The best of a sample."""
    size = min(config.tournament or max(2, config.population // 4), len(population))
    drawn = set(rng.choice(len(population), size, replace=False).tolist())
    sample = [arch for index, arch in enumerate(population) if index in drawn]
    weights = rng.dirichlet(np.ones(len(archive.problem.objectives)))
    return min(sample, key=lambda arch: _rank(archive, arch, weights))


def _rank(archive: Archive, arch: Arch, weights: Floats) -> tuple[float, float]:
    values = np.array(archive.values(arch)) / np.array(archive.reference or 1.0)
    return archive.violation(arch), float((weights * values).max())
