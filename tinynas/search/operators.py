"""pymoo's operators over a search space's own crossover and mutation. Imports pymoo: import this lazily."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pymoo.core.crossover import Crossover
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.mutation import Mutation
from pymoo.core.population import Population

from tinynas.search.problem import Archive
from tinynas.space.protocol import Space
from tinynas.space.space import Arch

Ints = NDArray[np.int64]


class SpaceCrossover(Crossover):  # type: ignore[misc]
    """Two parents, two children."""

    def __init__(self, space: Space, prob: float) -> None:
        super().__init__(n_parents=2, n_offsprings=2, prob=prob)
        self.space = space

    def _do(self, problem: object, X: Ints, *args: object, random_state: np.random.Generator, **kwargs: object) -> Ints:
        """X: parents (2, matings, genes); returns children of the same shape."""
        mothers, fathers = ([tuple(row) for row in parents] for parents in X)
        pairs = list(zip(mothers, fathers, strict=True))
        children = [[self.space.crossover(*pair, random_state) for pair in pairs] for _ in range(2)]
        return np.array(children, np.int64)


class SpaceMutation(Mutation):  # type: ignore[misc]
    """Every child is mutated: a copy of a parent would only be eliminated as a duplicate."""

    def __init__(self, space: Space, rate: float) -> None:
        super().__init__(prob=1.0)
        self.space = space
        self.rate = rate

    def _do(self, problem: object, X: Ints, *args: object, random_state: np.random.Generator, **kwargs: object) -> Ints:
        """X: (children, genes); returns the same shape."""
        return np.array([self.space.mutate(tuple(row), random_state, self.rate) for row in X], np.int64)


class NewArchs(DuplicateElimination):  # type: ignore[misc]
    """Lets through only what the search has not seen yet, in any generation, and each arch once."""

    def __init__(self, archive: Archive) -> None:
        super().__init__()
        self.archive = archive

    def _do(self, pop: Population, other: Population | None, is_duplicate: NDArray[np.bool_]) -> NDArray[np.bool_]:
        taken: set[Arch] = set() if other is None else {tuple(x) for x in other.get("X").tolist()}
        for index, x in enumerate(pop.get("X").tolist()):
            arch = tuple(x)
            is_duplicate[index] = arch in taken or self.archive.seen(arch)
            taken.add(arch)
        return is_duplicate
