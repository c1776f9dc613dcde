"""The elastic space counts, encodes and varies exactly the networks that it describes."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError

from tests.space.elastic_spaces import tiny_elastic
from tinynas.errors import ConfigError
from tinynas.space.elastic import ElasticSpace
from tinynas.space.space import Arch, SearchSpace


def small() -> ElasticSpace:
    """Expand ratios 2 and 2.2 of 8 channels are both 16 hidden channels."""
    stage = {"out_channels": 8, "depths": (1, 2), "kernels": (3, 5), "expand_ratios": (2.0, 2.2, 4.0)}
    return tiny_elastic(stages=[stage, stage | {"depths": (1,)}])


def all_archs(space: ElasticSpace) -> list[Arch]:
    return list(itertools.product(*(range(size) for size in space.gene_sizes)))


def test_size_is_the_number_of_distinct_networks() -> None:
    """Oracle: every arch spelt out, its network compared."""
    space = small()
    assert space.size == len({space.netspec(arch) for arch in all_archs(space)}) == 2 * (4 + 16) * 4


def test_canonical_archs_are_one_per_network() -> None:
    space = small()
    canonical: dict[object, set[Arch]] = {}
    for arch in all_archs(space):
        canonical.setdefault(space.netspec(arch), set()).add(space.canonical(arch))
    assert all(len(archs) == 1 for archs in canonical.values())
    for spec, (arch,) in ((spec, tuple(archs)) for spec, archs in canonical.items()):
        assert space.netspec(arch) == spec


def test_slots_beyond_the_depth_hold_zero() -> None:
    space = tiny_elastic()
    arch = space.canonical((1, 0, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1))
    assert arch == (1, 0, 2, 2, 0, 0, 1, 1, 1, 1, 1, 0, 0)
    assert [len(stage) for stage in space.netspec(arch).stages] == [1, 2]


def test_extremes() -> None:
    space = tiny_elastic()
    largest, smallest = (space.netspec(arch) for arch in (space.largest(), space.smallest()))
    assert [[(b.kernel, b.hidden_channels) for b in s] for s in largest.stages] == [
        [(7, 32), (7, 32)],
        [(7, 24), (7, 48), (7, 48)],
    ]
    assert [[(b.kernel, b.hidden_channels) for b in s] for s in smallest.stages] == [[(3, 16)], [(3, 16)]]
    assert (largest.input_shape[0], smallest.input_shape[0]) == (16, 12)


def test_shrunk_keeps_the_largest_choices() -> None:
    space = tiny_elastic()
    part = space.shrunk(kernels=2, depths=1, expand_ratios=1)
    assert part.stages[0].kernels == (5, 7)
    assert part.netspec(part.largest()) == space.netspec(space.largest())
    assert space.shrunk(kernels=1, depths=1, expand_ratios=1).size == len(space.resolutions)


def test_samples_are_canonical_and_cover_every_gene() -> None:
    space, rng = tiny_elastic(), np.random.default_rng(0)
    archs = [space.sample(rng) for _ in range(400)]
    assert all(space.canonical(arch) == arch for arch in archs)
    for position, size in enumerate(space.gene_sizes):
        assert {arch[position] for arch in archs} == set(range(size))
    depths = Counter(arch[6] for arch in archs)  # of the second stage; uniform would be 133 each
    assert min(depths.values()) > 100


def test_mutation_rates() -> None:
    """A block changes at `rate` times the share of other blocks, the resolution at half of `resolution_rate`."""
    space, rng = tiny_elastic(), np.random.default_rng(0)
    start = space.largest()
    children = [space.mutate(start, rng, rate=0.3, resolution_rate=0.5) for _ in range(4000)]
    assert all(space.canonical(child) == child for child in children)
    changed = np.mean([child[2:4] != start[2:4] for child in children])  # first block: always there
    resolution = np.mean([child[0] != start[0] for child in children])
    assert changed == pytest.approx(0.3 * 8 / 9, abs=0.03)
    assert resolution == pytest.approx(0.25, abs=0.03)
    assert space.mutate(start, rng, rate=0.0, resolution_rate=0.0) == start


def test_deeper_mutants_get_random_blocks() -> None:
    space, rng = tiny_elastic(), np.random.default_rng(0)
    children = [space.mutate(space.smallest(), rng, rate=0.3) for _ in range(600)]
    new = {child[4:6] for child in children if child[1] == 1}
    assert len(new) == 9


def test_crossover_takes_every_gene_from_a_parent() -> None:
    space, rng = tiny_elastic(), np.random.default_rng(1)
    mother, father = space.largest(), space.smallest()
    children = [space.crossover(mother, father, rng) for _ in range(200)]
    for child in children:
        assert space.canonical(child) == child
        assert child[2:4] in (mother[2:4], father[2:4])
        if child[1] == 1:  # only the mother has this slot
            assert child[4:6] == mother[4:6]
    assert len(set(children)) > 30


def test_from_a_search_space() -> None:
    stage = {"out_channels": 32, "stride": 2, "depths": (1, 2), "expand_ratios": (2, 4)}
    settings = {"resolutions": (32,), "widths": (0.5,), "stem": {"channels": 16}, "stages": (stage,)}
    plain = SearchSpace.model_validate(settings | {"head_channels": 64, "classes": 3})
    space = ElasticSpace.of(plain)
    assert space.netspec(space.largest()) == plain.netspec(plain.largest())
    assert space.netspec(space.smallest()) == plain.netspec(plain.smallest())
    assert space.size == (3 * 2) + (3 * 2) ** 2
    with pytest.raises(ConfigError, match=r"space\.widths: a supernet has one width"):
        ElasticSpace.of(plain.with_changes(widths=(0.5, 1.0)))
    with pytest.raises(ConfigError, match=r"space\.stages\.0\.cells"):
        ElasticSpace.of(
            plain.with_changes(
                stages=(
                    stage
                    | {
                        "cells": ("inverted_residual", "plain_residual"),
                    },
                )
            )
        )


def test_refusals() -> None:
    with pytest.raises(ValidationError, match="removes its first convolution"):
        tiny_elastic(stages=[{"out_channels": 8, "depths": (1,), "expand_ratios": (1, 2)}])
    with pytest.raises(ValidationError, match="smallest first"):
        tiny_elastic(stages=[{"out_channels": 8, "depths": (1,), "kernels": (5, 3), "expand_ratios": (2,)}])
    with pytest.raises(ConfigError, match="13"):
        tiny_elastic().netspec((0, 0))
    with pytest.raises(ConfigError, match="entry 3 is 3"):
        tiny_elastic().netspec((0, 0, 0, 3, *[0] * 9))
