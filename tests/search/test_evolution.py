"""Evolution finds the best subnet within limits, and never proposes one beyond them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from tests.space.elastic_spaces import tiny_elastic
from tinynas.errors import InfeasibleError
from tinynas.search.evolution import EvolutionConfig, EvolutionProblem, evolve
from tinynas.space.elastic import ElasticSpace
from tinynas.space.layers import layers
from tinynas.space.space import Arch


def space() -> ElasticSpace:
    """4,324,320 subnets of tiny_elastic are too many to try all; these are 1,920."""
    stage = {"out_channels": 8, "stride": 2, "depths": (1, 2), "kernels": (3, 5), "expand_ratios": (2, 3)}
    return tiny_elastic(stages=[stage, stage, stage | {"depths": (1,)}])


def macs(arch: Arch) -> int:
    return sum(layer.macs for layer in layers(space().netspec(arch)))


def worth(arch: Arch) -> float:
    """Rises with kernels and depth, and depends on how they go together."""
    blocks = [(b.kernel, b.hidden_channels) for stage in space().netspec(arch).stages for b in stage]
    return sum(k * (1 + h / 100) for k, h in blocks) + (0.5 if blocks[0][0] == 3 else 0.0)


def scores(archs: Sequence[Arch]) -> list[float]:
    return [worth(arch) for arch in archs]


def everyone() -> list[Arch]:
    own = space()
    return sorted({own.canonical(arch) for arch in itertools.product(*(range(n) for n in own.gene_sizes))})


def test_finds_the_best_of_all_that_are_allowed() -> None:
    """Oracle: every subnet tried."""
    limit = float(np.median([macs(arch) for arch in everyone()]))
    best = max(worth(arch) for arch in everyone() if macs(arch) <= limit)
    problem = EvolutionProblem(space(), scores, lambda arch: macs(arch) <= limit)
    found = evolve(problem, EvolutionConfig(population=40, generations=15), np.random.default_rng(0))
    assert found.score == worth(found.best) == pytest.approx(best)
    assert macs(found.best) <= limit
    assert found.evaluated < len(everyone()) / 2
    assert list(found.history) == sorted(found.history) and len(found.history) == 16


def test_only_what_is_allowed_is_scored_and_only_what_fits_breeds() -> None:
    scored: list[Arch] = []

    def noted(archs: Sequence[Arch]) -> list[float]:
        scored.extend(archs)
        return scores(archs)

    problem = EvolutionProblem(
        space(), noted, lambda arch: arch[0] == 1, fits=lambda archs: [arch[1] == 0 for arch in archs]
    )
    config = EvolutionConfig(population=24, generations=4)
    found = evolve(problem, config, np.random.default_rng(0))
    assert {arch[0] for arch in scored} == {1}
    assert len(scored) == len(set(scored)) == found.evaluated
    assert {arch[1] for arch in found.parents} == {0}
    assert len(found.parents) == 6 and found.parents[0] == found.best
    assert [worth(arch) for arch in found.parents] == sorted(map(worth, found.parents), reverse=True)


def test_one_seed_one_result() -> None:
    problem = EvolutionProblem(space(), scores, lambda arch: True)
    config = EvolutionConfig(population=12, generations=3)
    first, again, other = (evolve(problem, config, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first == again
    assert first.parents != other.parents


def test_given_archs_are_in_the_first_population() -> None:
    own = space()
    problem = EvolutionProblem(own, scores, lambda arch: True, initial=(own.largest(),))
    seen: list[float] = []
    evolve(problem, EvolutionConfig(population=4, generations=0), np.random.default_rng(0), lambda n, b: seen.append(b))
    assert seen == [worth(own.largest())]


def test_nothing_within_the_limits() -> None:
    config = EvolutionConfig(population=4, generations=1)
    with pytest.raises(InfeasibleError, match="raise the latency or memory budget"):
        evolve(EvolutionProblem(space(), scores, lambda arch: False), config, np.random.default_rng(0))
    with pytest.raises(InfeasibleError, match=r"no random subnet keeps the limits \(4 keep"):
        evolve(
            EvolutionProblem(space(), scores, lambda arch: True, lambda archs: [False] * len(archs)),
            config,
            np.random.default_rng(0),
        )
