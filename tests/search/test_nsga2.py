from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.search.landscape import SMALL_FACES, Lab, error, every_arch, macs, points, problem
from tests.space.spaces import FACES
from tinynas.errors import InfeasibleError
from tinynas.search.config import SearchConfig
from tinynas.search.methods import search
from tinynas.search.pareto import hypervolume, non_dominated
from tinynas.search.problem import Generation, Objective, SearchProblem, SearchResult

CONFIG = SearchConfig(population=16, generations=10)
LIMIT = 1.5e6


def run(lab: Lab, config: SearchConfig = CONFIG, seed: int = 0, limit: float = LIMIT) -> SearchResult:
    return search(problem(lab, limit), config, np.random.default_rng(seed))


def test_front_is_the_non_dominated_part_of_what_was_evaluated() -> None:
    result = run(Lab(FACES))
    values = np.array([candidate.values for candidate in result.candidates])
    expected = {c.arch for c, keep in zip(result.candidates, non_dominated(values), strict=True) if keep}
    assert {candidate.arch for candidate in result.front} == expected
    assert len(result.front) >= 4
    assert [c.values[0] for c in result.front] == sorted(c.values[0] for c in result.front)
    assert result.objectives == ("error", "macs")


def test_values_are_the_objectives() -> None:
    for candidate in run(Lab(FACES)).candidates:
        assert candidate.values == (error(FACES, candidate.arch), macs(FACES, candidate.arch))


def test_hypervolume_never_falls() -> None:
    volumes = [generation.hypervolume for generation in run(Lab(FACES)).generations]
    assert volumes == sorted(volumes)
    assert 0 < volumes[0] < volumes[-1] < 1


def test_what_does_not_fit_is_never_measured_and_nothing_twice() -> None:
    lab = Lab(FACES)
    result = run(lab)
    asked = [arch for batch in lab.batches for arch in batch]
    assert len(asked) == len(set(asked)) == len(result.candidates)
    assert all(macs(FACES, arch) <= LIMIT for arch in asked)
    assert all(FACES.canonical(arch) == arch for arch in asked)
    assert result.generations[-1].rejected > 0


def test_a_generation_is_one_batch() -> None:
    lab, seen = Lab(FACES), list[Generation]()
    result = search(problem(lab), CONFIG, np.random.default_rng(0), seen.append)
    assert [len(batch) for batch in lab.batches] == [CONFIG.population] * (CONFIG.generations + 1)
    assert tuple(seen) == result.generations


def test_one_seed_gives_the_same_search() -> None:
    assert run(Lab(FACES)) == run(Lab(FACES))
    assert run(Lab(FACES)) != run(Lab(FACES), seed=1)


@pytest.mark.parametrize("break_after", [0, 5, 40, 77])
def test_killed_search_replays_to_the_same_result(break_after: int) -> None:
    """Stored measurements are reused, and the continued search is the uninterrupted one, bit for bit."""
    whole = Lab(FACES)
    expected = run(whole)
    broken = Lab(FACES, break_after=break_after)
    with pytest.raises(KeyboardInterrupt):
        run(broken)
    resumed = Lab(FACES, store=dict(broken.store))
    assert run(resumed) == expected
    assert resumed.store == whole.store


def test_finds_most_of_a_front_that_is_known() -> None:
    """Against the true front of all 648 networks, with a third of them evaluated."""
    archs = every_arch(SMALL_FACES)
    assert len(archs) == 648
    config = SearchConfig(population=16, generations=100, max_evaluated=216)
    found = np.array([c.values for c in run(Lab(SMALL_FACES), config, limit=math.inf).candidates])
    truth = points(SMALL_FACES, archs)
    reference = truth.max(axis=0) * 1.1
    assert hypervolume(found, reference) > 0.99 * hypervolume(truth, reference)


def test_beats_random_search_with_as_many_evaluations() -> None:
    gains = []
    for seed in range(3):
        config = SearchConfig(population=16, generations=30, max_evaluated=150)
        ours = np.array([c.values for c in run(Lab(FACES), config, seed).candidates])
        randomly = run(Lab(FACES), config.model_copy(update={"method": "random"}), seed)
        theirs = np.array([c.values for c in randomly.candidates])
        assert len(ours) == len(theirs) == 150
        reference = np.vstack([ours, theirs]).max(axis=0) * 1.1
        gains.append(hypervolume(ours, reference) / hypervolume(theirs, reference))
    assert min(gains) > 1.02


def test_budget_is_kept_to_the_measurement() -> None:
    lab = Lab(FACES)
    result = run(lab, SearchConfig(population=16, generations=50, max_evaluated=37))
    assert len(lab.store) == len(result.candidates) == 37


def test_a_number_of_candidates_counts_more_than_one_of_generations() -> None:
    lab = Lab(FACES)
    result = run(lab, SearchConfig(population=16, generations=2, max_evaluated=90))
    assert len(lab.store) == len(result.candidates) == 90
    assert len(result.generations) > 3


def test_without_a_number_of_candidates_generations_count() -> None:
    assert len(run(Lab(FACES), SearchConfig(population=8, generations=3)).generations) == 4


def test_a_number_of_candidates_that_do_not_fit_is_not_waited_for() -> None:
    """Of 648 networks 29 fit: the search ends before it has tried them all."""
    fitting = sorted(macs(SMALL_FACES, arch) for arch in every_arch(SMALL_FACES))[:29]
    lab = Lab(SMALL_FACES)
    held = problem(lab, fitting[-1], (SMALL_FACES.smallest(),))
    result = search(held, SearchConfig(population=16, max_evaluated=600), np.random.default_rng(0))
    assert len(result.candidates) <= 29
    assert result.generations[-1].evaluated + result.generations[-1].rejected < 648


def test_small_space_ends_when_all_is_known() -> None:
    space = SMALL_FACES.with_changes(resolutions=(64,), stages=SMALL_FACES.stages[:1])
    result = run(Lab(space), SearchConfig(population=8, generations=60), limit=math.inf)
    assert {candidate.arch for candidate in result.candidates} == set(every_arch(space))


def test_space_of_one_network() -> None:
    one = {"out_channels": 16, "depths": [1], "kernels": [3], "expand_ratios": [2]}
    space = SMALL_FACES.with_changes(resolutions=(64,), stages=(one,))
    assert [c.arch for c in run(Lab(space), limit=math.inf).front] == [space.largest()]


def test_initial_archs_are_evaluated() -> None:
    initial = (FACES.smallest(), FACES.largest())
    lab = Lab(FACES)
    search(problem(lab, initial=initial), CONFIG, np.random.default_rng(0))
    assert set(initial) <= set(lab.batches[0])


def test_infeasible_says_how_close_the_nearest_came() -> None:
    nearest = macs(FACES, FACES.smallest())
    with pytest.raises(InfeasibleError, match=r"r48 w1 d1k3e2 d1k3e2 d1k3e2, is 25% over its memory"):
        search(problem(Lab(FACES), nearest / 1.25, (FACES.smallest(),)), CONFIG, np.random.default_rng(0))


def test_infeasible_start_still_finds_what_fits() -> None:
    """Constraint domination: from two that fit, generations move into the feasible region."""
    limit = 1.1 * macs(FACES, FACES.smallest())
    space_problem = problem(Lab(FACES), limit, (FACES.smallest(),))
    result = search(space_problem, SearchConfig(population=16, generations=25), np.random.default_rng(0))
    assert len(result.candidates) > 4


def limited(lab: Lab, limit_macs: float) -> SearchProblem:
    """As `problem`, but the limit is on the measured objective, so it shows only after measuring."""
    free = problem(lab, math.inf)
    return replace(free, objectives=(free.objectives[0], replace(free.objectives[1], limit=limit_macs)))


def test_limit_of_a_measured_objective() -> None:
    """Candidates beyond it are steered away from and never in the front, nor count for the hypervolume."""
    limit = 2 * macs(FACES, FACES.smallest())
    result = search(limited(Lab(FACES), limit), SearchConfig(population=16, generations=12), np.random.default_rng(0))
    inside = [candidate.values[1] <= limit for candidate in result.candidates]
    assert 0 < sum(inside) < len(inside)
    assert all(candidate.values[1] <= limit for candidate in result.front)
    last = len(inside) // 4
    assert sum(inside[-last:]) > sum(inside[:last])
    volumes = [generation.hypervolume for generation in result.generations]
    assert volumes == sorted(volumes)


def test_limit_that_nothing_keeps_says_how_close_the_nearest_came() -> None:
    with pytest.raises(InfeasibleError, match=r"none of \d+ evaluated .* has macs \d+ \(limit 1000\)"):
        search(limited(Lab(FACES), 1000), SearchConfig(population=8, generations=2), np.random.default_rng(0))


def test_a_measurement_that_is_no_number_is_a_bug_of_the_caller() -> None:
    broken = Objective("latency_us", lambda archs: [math.nan] * len(archs))
    with pytest.raises(ValueError, match="latency_us"):
        search(
            SearchProblem(FACES, (broken,), lambda archs: [0.0] * len(archs), FACES.sample),
            CONFIG,
            np.random.default_rng(0),
        )


def test_importing_the_search_is_cheap() -> None:
    """pymoo, scipy and torch come with the first use, so that the command line answers at once."""
    code = (
        "import tinynas.search.methods, tinynas.predict.quality, sys;"
        "print([m for m in ('pymoo', 'scipy', 'torch', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
