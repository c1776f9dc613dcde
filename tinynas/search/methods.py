"""The ways to search, behind one interface: a problem, the settings and a generator in, a `SearchResult` out.

A killed search is resumed by running it again: all draws come from one seed and a measurement is taken from the
store the second time, so the replay asks the same questions, gets the same answers and goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinynas.search.aging import aging_evolution
from tinynas.search.config import SearchConfig
from tinynas.search.nsga2 import nsga2
from tinynas.search.problem import OnGeneration, SearchProblem, SearchResult
from tinynas.search.random_search import random_search

Method = Callable[[SearchProblem, SearchConfig, np.random.Generator, OnGeneration], SearchResult]

METHODS: dict[str, Method] = {"nsga2": nsga2, "aging": aging_evolution, "random": random_search}


def search(
    problem: SearchProblem,
    config: SearchConfig,
    rng: np.random.Generator,
    on_generation: OnGeneration = lambda _: None,
) -> SearchResult:
    """The front of `problem` that the method of `config` finds with at most `config.budget` evaluations.

    Archs that overflow are never evaluated. No network is evaluated twice. Ends early when no new network turns up.

    Raises:
        InfeasibleError: nothing fits the board, or not one evaluated network keeps the limits.
    """
    return METHODS[config.method](problem, config, rng, on_generation)
