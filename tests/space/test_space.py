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

from tests.space.spaces import EVERY_CELL, FACES, SMALL, WIDE
from tinynas.errors import ConfigError
from tinynas.space.channels import round_channels
from tinynas.space.layers import layers
from tinynas.space.space import Arch, SearchSpace

seeds = st.integers(0, 2**32 - 1)


def all_archs(space: SearchSpace) -> Iterator[Arch]:
    return itertools.product(*(range(size) for size in space.gene_sizes))


def vector(seed: int, space: SearchSpace = SMALL) -> Arch:
    rng = np.random.default_rng(seed)
    return tuple(int(rng.integers(size)) for size in space.gene_sizes)


@pytest.mark.parametrize("space", [SMALL, WIDE])
def test_size_counts_distinct_networks(space: SearchSpace) -> None:
    """Against enumeration of every vector; what is rounded together, or the same by another name, counts once."""
    archs = list(all_archs(space))
    networks = {(spec.input_shape, layers(spec)) for spec in map(space.netspec, archs)}
    assert space.size == len(networks) == len({space.netspec(arch) for arch in archs})
    assert len(networks) < math.prod(space.gene_sizes)


@pytest.mark.parametrize("space", [SMALL, WIDE])
def test_canonical_is_the_first_equal_network(space: SearchSpace) -> None:
    first: dict[object, Arch] = {}
    for arch in all_archs(space):
        expected = first.setdefault(space.netspec(arch), arch)
        assert space.canonical(arch) == expected


@pytest.mark.parametrize("space", [SMALL.with_changes(resolutions=(48,), stages=SMALL.stages[1:]), WIDE])
def test_sampling_is_uniform_over_networks(space: SearchSpace) -> None:
    """Chi-squared against the flat distribution, 200 draws a network: its mean is n - 1, its variance 2 (n - 1)."""
    draws = Counter(map(tuple, space.samples(np.random.default_rng(1), 200 * space.size).tolist()))
    assert set(draws) == {space.canonical(arch) for arch in all_archs(space)}
    chi_squared = sum((count - 200) ** 2 / 200 for count in draws.values())
    assert abs(chi_squared - (space.size - 1)) < 5 * math.sqrt(2 * (space.size - 1))


@given(seeds, st.sampled_from([SMALL, WIDE]))
def test_encode_undoes_decode(seed: int, space: SearchSpace) -> None:
    arch = vector(seed, space)
    assert space.encode(space.decode(arch)) == arch


@given(seeds, st.sampled_from([SMALL, WIDE]))
def test_options_count_in_order(seed: int, space: SearchSpace) -> None:
    arch = vector(seed, space)
    for stage in range(len(space.stages)):
        options = space.stage_options(stage)
        assert options[space.option_index(arch, stage)] == space.decode(arch).stages[stage]
        for index, option in enumerate(options):
            changed = space.with_option(arch, stage, index)
            assert space.option_index(changed, stage) == index
            assert space.decode(changed).stages[stage] == option
            assert space.with_option(changed, stage, space.option_index(arch, stage)) == arch


@given(seeds, st.sampled_from([SMALL, EVERY_CELL]))
def test_netspec_has_what_was_chosen(seed: int, space: SearchSpace) -> None:
    arch = vector(seed, space)
    choice, spec = space.decode(arch), space.netspec(arch)
    assert spec.input_shape == (choice.resolution, choice.resolution, choice.channels)
    for blocks, option, stage in zip(spec.stages, choice.stages, space.stages, strict=True):
        assert len(blocks) == option.depth
        kinds = {(block.kernel, block.activation, block.attention) for block in blocks}
        assert kinds == {(option.kernel, option.activation, option.attention)}
        assert blocks[-1].out_channels == round_channels(option.out_channels * choice.width)
        assert [block.stride for block in blocks] == [stage.stride, *[1] * (option.depth - 1)]
        assert all(block.residual for block in blocks[1:])
        assert blocks[0].cell == option.cell or option.cell == "depthwise_separable"  # which another cell may be
    layers(spec)  # raises if channels do not chain


def test_block_ids_tell_networks_apart() -> None:
    """With resolution, input, stem and head they are equal for equal networks, and only for those."""
    archs = np.array(list(all_archs(WIDE)))
    ids, frames = WIDE.block_ids(archs), WIDE.frames(archs).tolist()
    seen: dict[object, object] = {}
    around: dict[int, object] = {}
    for arch, frame, numbers in zip(archs.tolist(), frames, ids.tolist(), strict=True):
        spec = WIDE.netspec(tuple(arch))
        assert tuple(WIDE.blocks(stage, number) for stage, number in enumerate(numbers)) == spec.stages
        outside = (spec.input_shape, spec.stem_channels, spec.head_channels)
        assert around.setdefault(frame, outside) == outside
        assert seen.setdefault(spec.stages, numbers) == numbers
    assert len(seen) == len({tuple(numbers) for numbers in ids.tolist()})


@given(seeds, seeds, st.sampled_from([SMALL, WIDE, EVERY_CELL]))
def test_variation_stays_inside(seed: int, other: int, space: SearchSpace) -> None:
    rng = np.random.default_rng(seed)
    mother, father = vector(seed, space), vector(other, space)
    for child in (space.sample(rng), space.mutate(mother, rng), space.crossover(mother, father, rng)):
        assert space.canonical(space.check(child)) == child


@given(seeds, st.sampled_from([SMALL, WIDE]))
def test_crossover_of_equals_is_the_parent(seed: int, space: SearchSpace) -> None:
    parent = space.canonical(vector(seed, space))
    assert space.crossover(parent, parent, np.random.default_rng(0)) == parent


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
    assert WIDE.label(tuple(size - 1 for size in WIDE.gene_sizes)) == "r24x3 w1 d1k3e2c16-ds d2k3e2c32-hardswish-se"


@pytest.mark.parametrize("space", [WIDE, EVERY_CELL])
def test_labels_of_different_archs_differ(space: SearchSpace) -> None:
    archs = [tuple(arch) for arch in space.samples(np.random.default_rng(0), 500).tolist()]
    assert len({space.label(arch) for arch in archs}) == len(set(archs))


def test_lists_of_one_are_no_genes() -> None:
    """A space that names one cell, one activation, ... has the archs of one that leaves them to their defaults."""
    named = [
        {**stage.model_dump(), "out_channels": [stage.out_channels], "cells": ["inverted_residual"],
         "activations": ["relu6"], "attention": ["none"]}
        for stage in SMALL.stages
    ]  # fmt: skip
    same = SMALL.with_changes(stages=named, channels=[1])
    assert same.gene_sizes == SMALL.gene_sizes == (2, 3, 2, 2, 3, 3, 2, 3)
    for arch in SMALL.samples(np.random.default_rng(0), 20).tolist():
        assert same.netspec(arch) == SMALL.netspec(arch)
        assert same.label(arch) == SMALL.label(arch)


def test_stages_without_activations_take_the_space_s() -> None:
    space = SMALL.with_changes(activation="hard_swish")
    assert {block.activation for blocks in space.netspec(space.largest()).stages for block in blocks} == {"hard_swish"}


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
        ({"stages": [{"out_channels": [8, 8], "depths": [1], "expand_ratios": [1]}]}, "smallest first"),
        ({"stages": [{"out_channels": 8, "depths": [1], "expand_ratios": [1], "cells": ["vgg"]}]}, "known: depthwise_"),
        ({"stages": [{"out_channels": 8, "depths": [1], "expand_ratios": [1], "cells": []}]}, "at least 1 item"),
        ({"channels": [3, 1]}, "smallest first"),
        ({"channels": 2}, "1 or 3"),
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
