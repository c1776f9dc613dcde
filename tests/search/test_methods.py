"""What holds for every way to search, and what is each one's own."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from tests.search.landscape import SMALL_FACES, Lab, error, every_arch, macs, points, problem
from tests.space.spaces import FACES
from tinynas.errors import InfeasibleError
from tinynas.search.config import SearchConfig
from tinynas.search.methods import METHODS, search
from tinynas.search.pareto import hypervolume, non_dominated
from tinynas.search.problem import Objective, SearchResult

LIMIT = 1.5e6
EVERY = pytest.mark.parametrize("method", METHODS)


def run(method: str, lab: Lab, seed: int = 0, limit: float = LIMIT, evaluated: int = 90) -> SearchResult:
    config = SearchConfig.model_validate({"method": method, "population": 16, "max_evaluated": evaluated, "batch": 4})
    config = config.model_copy(update={"generations": 100})
    return search(problem(lab, limit), config, np.random.default_rng(seed))


def test_config_offers_every_method() -> None:
    assert set(get_args(SearchConfig.model_fields["method"].annotation)) == set(METHODS)


@EVERY
def test_budget_is_kept_and_nothing_is_measured_twice_or_beyond_the_board(method: str) -> None:
    lab = Lab(FACES)
    result = run(method, lab)
    asked = [arch for batch in lab.batches for arch in batch]
    assert len(asked) == len(set(asked)) == len(result.candidates) == 90
    assert all(macs(FACES, arch) <= LIMIT for arch in asked)
    kept = non_dominated(np.array([c.values for c in result.candidates]))
    assert {c.arch for c in result.front} == {c.arch for c, keep in zip(result.candidates, kept, strict=True) if keep}


@EVERY
def test_killed_search_replays_to_the_same_result(method: str) -> None:
    whole = Lab(FACES)
    expected = run(method, whole)
    broken = Lab(FACES, break_after=50)
    with pytest.raises(KeyboardInterrupt):
        run(method, broken)
    resumed = Lab(FACES, store=dict(broken.store))
    assert run(method, resumed) == expected
    assert resumed.store == whole.store


@EVERY
def test_a_small_space_is_enumerated(method: str) -> None:
    space = SMALL_FACES.with_changes(resolutions=(64,), stages=SMALL_FACES.stages[:1])
    result = run(method, Lab(space), limit=math.inf, evaluated=500)
    assert {candidate.arch for candidate in result.candidates} == set(every_arch(space))


@EVERY
def test_a_limit_without_an_objective_holds_for_the_front(method: str) -> None:
    """One objective and one constraint: the front is the best network within the constraint."""
    lab = Lab(SMALL_FACES)
    free = problem(lab, math.inf)
    limit = float(np.median([macs(SMALL_FACES, arch) for arch in every_arch(SMALL_FACES)]))
    constraint = replace(free.objectives[1], limit=limit)
    held = replace(free, objectives=free.objectives[:1], constraints=(constraint,))
    config = SearchConfig.model_validate({"method": method, "population": 16, "generations": 9, "batch": 4})
    result = search(held, config, np.random.default_rng(0))
    inside = [c for c in result.candidates if c.constrained[0] <= limit]
    assert 0 < len(inside) < len(result.candidates)
    assert {c.values for c in result.front} == {min(c.values for c in inside)}


@EVERY
def test_limits_that_nothing_keeps_are_told(method: str) -> None:
    free = problem(Lab(FACES), math.inf)
    held = replace(free, constraints=(Objective("macs", free.objectives[1].evaluate, 1000),))
    config = SearchConfig.model_validate({"method": method, "population": 8, "generations": 1})
    with pytest.raises(InfeasibleError, match=r"has macs \d+ \(limit 1000\)"):
        search(held, config, np.random.default_rng(0))


def test_aging_finds_most_of_a_front_that_is_known() -> None:
    """With a quarter of all networks evaluated, and more of it than random search."""
    truth = points(SMALL_FACES, every_arch(SMALL_FACES))
    reference = truth.max(axis=0) * 1.1
    shares = {}
    for method in ("aging", "random"):
        found = [run(method, Lab(SMALL_FACES), seed, math.inf, 150).candidates for seed in range(3)]
        values = [hypervolume(np.array([c.values for c in each]), reference) for each in found]
        shares[method] = float(np.mean(values)) / hypervolume(truth, reference)
    assert shares["aging"] > max(0.98, shares["random"] + 0.005)


def test_aging_forgets_the_oldest() -> None:
    """A landscape in which the first networks are unbeatable: later parents are not among them all the same."""
    lab = Lab(FACES)
    order: dict[tuple[int, ...], int] = {}

    def age(archs: list[tuple[int, ...]]) -> list[float]:
        for arch in archs:
            order.setdefault(arch, len(order))
        return [1 + order[arch] for arch in archs]

    aged = replace(problem(lab, math.inf), objectives=(Objective("age", age),))  # type: ignore[arg-type]
    config = SearchConfig(method="aging", population=8, max_evaluated=80, batch=4, mutation=0.01)
    result = search(aged, config, np.random.default_rng(0))
    last = [candidate.arch for candidate in result.candidates[-4:]]
    alive = [candidate.arch for candidate in result.candidates[-16:-4]]
    for arch in last:  # a mutation of one gene: some network of the last generations is one gene away
        assert min(sum(a != b for a, b in zip(arch, parent, strict=True)) for parent in alive) <= 2


def test_objectives_agree_with_their_definition() -> None:
    result = run("aging", Lab(FACES))
    assert all(c.values == (error(FACES, c.arch), macs(FACES, c.arch)) for c in result.candidates)
