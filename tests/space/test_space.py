from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.space.spaces import FACES, SMALL
from tinynas.errors import ConfigError
from tinynas.space.layers import layers
from tinynas.space.space import Arch, SearchSpace

seeds = st.integers(0, 2**32 - 1)


def all_archs(space: SearchSpace) -> Iterator[Arch]:
    return itertools.product(*(range(size) for size in space.gene_sizes))


def vector(seed: int) -> Arch:
    rng = np.random.default_rng(seed)
    return tuple(int(rng.integers(size)) for size in SMALL.gene_sizes)


def test_size_counts_distinct_networks() -> None:
    """Against enumeration of every vector; the two rounded-together widths and ratios count once."""
    networks = {SMALL.netspec(arch) for arch in all_archs(SMALL)}
    assert SMALL.size == len(networks)
    assert len(networks) < math.prod(SMALL.gene_sizes)


def test_canonical_is_the_first_equal_network() -> None:
    first: dict[object, Arch] = {}
    for arch in all_archs(SMALL):
        expected = first.setdefault(SMALL.netspec(arch), arch)
        assert SMALL.canonical(arch) == expected


def test_sampling_is_uniform_over_networks() -> None:
    """Chi-squared against the flat distribution, 200 draws a network: its mean is n - 1, its variance 2 (n - 1)."""
    space = SMALL.with_changes(resolutions=(48,), stages=SMALL.stages[1:])
    rng = np.random.default_rng(1)
    draws = Counter(space.sample(rng) for _ in range(200 * space.size))
    assert set(draws) == {space.canonical(arch) for arch in all_archs(space)}
    chi_squared = sum((count - 200) ** 2 / 200 for count in draws.values())
    assert abs(chi_squared - (space.size - 1)) < 5 * math.sqrt(2 * (space.size - 1))


@given(seeds)
def test_encode_undoes_decode(seed: int) -> None:
    arch = vector(seed)
    assert SMALL.encode(SMALL.decode(arch)) == arch


@given(seeds)
def test_options_count_in_order(seed: int) -> None:
    arch = vector(seed)
    for stage in range(len(SMALL.stages)):
        options = SMALL.stage_options(stage)
        assert options[SMALL.option_index(arch, stage)] == SMALL.decode(arch).stages[stage]
        for index, option in enumerate(options):
            changed = SMALL.with_option(arch, stage, index)
            assert SMALL.option_index(changed, stage) == index
            assert SMALL.decode(changed).stages[stage] == option
            assert SMALL.with_option(changed, stage, SMALL.option_index(arch, stage)) == arch


@given(seeds)
def test_netspec_has_what_was_chosen(seed: int) -> None:
    arch = vector(seed)
    choice, spec = SMALL.decode(arch), SMALL.netspec(arch)
    assert spec.input_shape == (choice.resolution, choice.resolution, 1)
    for blocks, option, stage in zip(spec.stages, choice.stages, SMALL.stages, strict=True):
        assert len(blocks) == option.depth
        assert {block.kernel for block in blocks} == {option.kernel}
        assert [block.stride for block in blocks] == [stage.stride, *[1] * (option.depth - 1)]
        assert all(block.residual for block in blocks[1:])
    layers(spec)  # raises if channels do not chain


@given(seeds, seeds)
def test_variation_stays_inside(seed: int, other: int) -> None:
    rng = np.random.default_rng(seed)
    mother, father = vector(seed), vector(other)
    for child in (SMALL.sample(rng), SMALL.mutate(mother, rng), SMALL.crossover(mother, father, rng)):
        assert SMALL.canonical(SMALL.check(child)) == child


@given(seeds)
def test_crossover_of_equals_is_the_parent(seed: int) -> None:
    parent = SMALL.canonical(vector(seed))
    assert SMALL.crossover(parent, parent, np.random.default_rng(0)) == parent


@given(seeds)
def test_mutation_moves(seed: int) -> None:
    """Where no two archs are one network, a mutant is always another network."""
    rng = np.random.default_rng(seed)
    parent = FACES.sample(rng)
    assert FACES.mutate(parent, rng, rate=0.0) != parent


def test_mutation_reaches_every_network_and_crossover_every_stage() -> None:
    space = SMALL.with_changes(stages=SMALL.stages[1:])
    rng = np.random.default_rng(0)
    reached, arch = set(), space.largest()
    for _ in range(60 * space.size):
        arch = space.mutate(arch, rng)
        reached.add(arch)
    assert len(reached) == space.size
    children = {SMALL.crossover(SMALL.smallest(), SMALL.largest(), rng) for _ in range(400)}
    assert len(children) == 2 ** (2 + len(SMALL.stages))


def test_one_seed_gives_the_same_archs() -> None:
    first, second = np.random.default_rng(3), np.random.default_rng(3)
    assert [FACES.sample(first) for _ in range(20)] == [FACES.sample(second) for _ in range(20)]


def test_largest_and_smallest_bound_the_macs() -> None:
    def macs(arch: Arch) -> int:
        return sum(layer.macs for layer in layers(SMALL.netspec(arch)))

    found = [macs(arch) for arch in all_archs(SMALL)]
    assert (min(found), max(found)) == (macs(SMALL.smallest()), macs(SMALL.largest()))


def test_changed_space_forgets_what_it_had_computed() -> None:
    assert SMALL.size
    narrowed = SMALL.with_changes(widths=(1.0,), channels=3, classes=10)
    assert narrowed.size == SearchSpace.model_validate(narrowed.model_dump()).size < SMALL.size
    spec = narrowed.netspec(narrowed.largest())
    assert (spec.input_shape[2], spec.classes, spec.stem_channels) == (3, 10, 16)


def test_label_is_short_and_complete() -> None:
    assert FACES.label(FACES.largest()) == "r64 w1 d2k7e6 d2k7e6 d2k7e6"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resolutions": [64, 48]}, "smallest first"),
        ({"resolutions": []}, "at least 1 item"),
        ({"depth": 3}, "Extra inputs"),
        ({"widths": [0]}, "greater than 0"),
        ({"classes": 1}, "greater than or equal to 2"),
        ({"stages": [{"out_channels": 8, "depths": [1], "kernels": [4], "expand_ratios": [1]}]}, "odd"),
        ({"stages": [{"out_channels": 8, "depths": [0], "expand_ratios": [1]}]}, "greater than 0"),
    ],
)
def test_malformed_tables_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SMALL.with_changes(**change)


def test_foreign_archs_are_named() -> None:
    with pytest.raises(ConfigError, match="has 3 entries, this space's archs have 8"):
        SMALL.decode((0, 0, 0))
    with pytest.raises(ConfigError, match="entry 7 is 3, but there are 3 choices"):
        SMALL.netspec((0, 0, 0, 0, 0, 0, 0, 3))
    with pytest.raises(ConfigError, match=r"96 is not a choice.*48, 64"):
        SMALL.encode(FACES.with_changes(resolutions=(96,), stages=FACES.stages[:2]).decode((0,) * 8))
