"""Random search: the baseline that any other search has to beat with as many evaluations."""

from __future__ import annotations

import numpy as np

from tinynas.search.config import SearchConfig
from tinynas.search.problem import Archive, OnGeneration, SearchProblem, SearchResult

_DRAWS_PER_EVALUATION = 50  # before the search ends for want of new networks that fit


def random_search(
    problem: SearchProblem,
    config: SearchConfig,
    rng: np.random.Generator,
    on_generation: OnGeneration = lambda _: None,
) -> SearchResult:
    """The front among `config.budget` distinct samples that fit, evaluated a population at a time.

    Raises:
        InfeasibleError: nothing fits the board, or not one evaluated network keeps the limits.
    """
    archive, batch = Archive(problem, config.budget), config.population
    archs = list(problem.initial)
    for _ in range(config.budget * _DRAWS_PER_EVALUATION // batch + 1):
        archs += [problem.sample(rng) for _ in range(batch)]
        archive.add(archs)
        on_generation(archive.generations[-1])
        if archive.exhausted:
            break
        archs = []
    archive.require_solution()
    return archive.result()
