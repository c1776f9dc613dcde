"""Random search: the baseline that any other search has to beat with as many evaluations."""

from __future__ import annotations

import numpy as np

from tinynas.search.nsga2 import OnGeneration
from tinynas.search.problem import Archive, SearchProblem, SearchResult

_DRAWS_PER_EVALUATION = 50  # before the search ends for want of new networks that fit


def random_search(
    problem: SearchProblem,
    evaluations: int,
    rng: np.random.Generator,
    *,
    batch: int = 24,
    on_generation: OnGeneration = lambda _: None,
) -> SearchResult:
    """The front among `evaluations` distinct samples that fit, evaluated `batch` at a time; fewer if none turn up."""
    archive = Archive(problem, evaluations)
    archs = list(problem.initial)
    for _ in range(evaluations * _DRAWS_PER_EVALUATION // batch + 1):
        archs += [problem.sample(rng) for _ in range(batch)]
        archive.add(archs)
        on_generation(archive.generations[-1])
        if archive.exhausted:
            break
        archs = []
    return archive.result()
