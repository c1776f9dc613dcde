from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.space.boards import BOARD, RUNTIME
from tests.space.spaces import EVERY_CELL, FACES, SMALL, WIDE
from tinynas.errors import InfeasibleError
from tinynas.graph.ir import DType
from tinynas.graph.lower import bind, lower
from tinynas.graph.stats import macs as graph_macs
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflite_writer import write_tflite
from tinynas.lab.board import Core
from tinynas.plan.fit import fit
from tinynas.plan.planner import plan
from tinynas.quantize.ptq import quantize
from tinynas.space.cost import Budget, CandidateCost, Cost, feasible_samples, network_cost, sample_feasible
from tinynas.space.elastic import ElasticSpace
from tinynas.space.layers import layers
from tinynas.space.mobilenet import scaled_mobilenet_v2
from tinynas.space.space import SearchSpace

COST = CandidateCost(FACES, BOARD, RUNTIME)
ARCHS = tuple(FACES.sample(np.random.default_rng(seed)) for seed in range(20))


@pytest.mark.parametrize("arch", ARCHS[:8])
def test_cost_is_that_of_the_plan(arch: tuple[int, ...]) -> None:
    graph = lower(FACES.netspec(arch), DType.INT8)
    planned = plan(graph, BOARD.core)
    fitted = fit(planned, BOARD, RUNTIME)
    cost = COST(arch)
    assert cost.fits == fitted.fits
    assert (cost.arena_bytes, cost.sram_bytes, cost.flash_bytes) == (
        planned.arena_bytes,
        fitted.sram_bytes,
        fitted.flash_bytes,
    )
    assert cost.macs == graph_macs(graph) == sum(layer.macs for layer in layers(FACES.netspec(arch)))


@pytest.mark.parametrize("arch", ARCHS[:4])
def test_trained_network_has_the_plan_that_was_predicted(arch: tuple[int, ...]) -> None:
    """Weights, quantisation and the way through a .tflite file change nothing of what the search counted on."""
    rng = np.random.default_rng(0)
    graph = lower(FACES.netspec(arch), DType.FLOAT32)
    weights = {tensor.name: rng.normal(size=tensor.shape) for tensor in graph.tensors if tensor.const}
    weights = {name: data for name, data in weights.items() if name.endswith((".weight", ".bias"))}
    ranges = {index: (-6.0, 6.0) for index, tensor in enumerate(graph.tensors) if not tensor.const}
    trained = read_tflite(write_tflite(quantize(bind(graph, weights), ranges)))
    predicted, built = plan(lower(FACES.netspec(arch)), BOARD.core), plan(trained, BOARD.core)
    assert built.arena_bytes == predicted.arena_bytes
    assert fit(built, BOARD, RUNTIME) == fit(predicted, BOARD, RUNTIME)


def test_parameters_by_hand() -> None:
    """Stem 3*3*1*8+8; block: expand 8*16+16, depthwise 9*16+16, project 16*16+16; head 16*64+64; linear 64*2+2."""
    one = {"out_channels": 16, "depths": [1], "kernels": [3], "expand_ratios": [2]}
    space = FACES.with_changes(stages=(one,))
    cost = network_cost(space.netspec(space.largest()), BOARD, RUNTIME)
    assert cost.parameters == 80 + (144 + 160 + 272) + 1088 + 130


def test_overflow_is_the_larger_fraction() -> None:
    cost = Cost(100, 150, 400, 0, 0, sram_limit_bytes=100, flash_limit_bytes=200)
    assert cost.overflow == pytest.approx(1.0)
    assert not cost.fits
    assert Cost(100, 100, 200, 0, 0, sram_limit_bytes=100, flash_limit_bytes=200).fits


def test_budget_tightens_the_board_and_never_loosens_it() -> None:
    arch = FACES.smallest()
    tight = CandidateCost(FACES, BOARD, RUNTIME, Budget(sram_bytes=COST(arch).sram_bytes - 1))
    assert COST(arch).fits
    assert tight(arch).overflow == pytest.approx(1 / (COST(arch).sram_bytes - 1))
    assert tight.overflows([arch, FACES.largest()]) == [tight(arch).overflow, tight(FACES.largest()).overflow]
    assert tight.overflows([]) == []
    generous = CandidateCost(FACES, BOARD, RUNTIME, Budget(sram_bytes=10**9, flash_bytes=10**9))
    assert all(generous(arch) == COST(arch) for arch in ARCHS)


def test_equal_networks_are_planned_once() -> None:
    cost = CandidateCost(SMALL, BOARD, RUNTIME)
    first = cost((0, 0, 0, 0, 0, 0, 0, 0))
    assert cost((0, 1, 0, 0, 0, 0, 0, 0)) is first  # width 0.55 rounds to 0.5's channels


def test_sampling_is_conditioned_on_fitting() -> None:
    rng = np.random.default_rng(0)
    plain = [COST(FACES.sample(rng)).fits for _ in range(50)]
    assert 0 < sum(plain) < 50  # else this board would test nothing
    assert all(COST(sample_feasible(FACES, COST, rng)).fits for _ in range(50))


def test_infeasible_board_names_the_nearest() -> None:
    tiny = CandidateCost(FACES, BOARD, RUNTIME, Budget(sram_bytes=6000))
    with pytest.raises(InfeasibleError, match=r"in 40 draws .*r48 w1 .* of 6000 B SRAM"):
        sample_feasible(FACES, tiny, np.random.default_rng(0), max_tries=40)


def test_baselines_have_costs_too() -> None:
    costs = [network_cost(scaled_mobilenet_v2(width, 64, 1, 2), BOARD, RUNTIME) for width in (0.1, 0.2, 0.35)]
    assert [cost.parameters for cost in costs] == sorted(cost.parameters for cost in costs)
    assert costs[0].flash_bytes < costs[-1].flash_bytes


SPACES = {"faces": FACES, "small": SMALL, "wide": WIDE, "cells": EVERY_CELL, "elastic": ElasticSpace.of(FACES)}


@pytest.mark.parametrize("core", [Core.M0, Core.M4, Core.M55])
@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_many_at_once_cost_what_their_plans_say(space: SearchSpace | ElasticSpace, core: Core) -> None:
    cost = CandidateCost(space, BOARD.model_copy(update={"core": core}), RUNTIME)
    archs = space.samples(np.random.default_rng(5), 12)
    costs = cost.batch(archs)
    assert list(costs) == [cost(tuple(arch)) for arch in archs.tolist()]
    assert costs.fits.tolist() == [one.fits for one in costs]
    assert costs.overflow.tolist() == [one.overflow for one in costs]
    again = cost.batch(archs[::-1])
    np.testing.assert_array_equal(again.arena_bytes[::-1], costs.arena_bytes)


def test_archs_beside_it_change_no_cost() -> None:
    archs = FACES.samples(np.random.default_rng(6), 300)
    whole = CandidateCost(FACES, BOARD, RUNTIME).batch(archs)
    cost = CandidateCost(FACES, BOARD, RUNTIME)
    for part in (slice(0, 1), slice(1, 7), slice(7, 300)):
        np.testing.assert_array_equal(cost.batch(archs[part]).flash_bytes, whole.flash_bytes[part])
        np.testing.assert_array_equal(cost.batch(archs[part]).sram_bytes, whole.sram_bytes[part])


def test_samples_that_fit_are_uniform_over_the_networks_that_do() -> None:
    stages = [{**stage.model_dump(), "kernels": [3, 7], "expand_ratios": [2, 6]} for stage in FACES.stages[:2]]
    space = FACES.with_changes(stages=stages)
    cost = CandidateCost(space, BOARD, RUNTIME)
    every = {tuple(arch) for arch in space.samples(np.random.default_rng(0), 4000).tolist()}
    assert len(every) == space.size
    fitting = sorted(arch for arch in every if cost(arch).fits)
    assert 0 < len(fitting) < len(every)
    drawn = feasible_samples(space, cost, np.random.default_rng(1), 40 * len(fitting))
    counts = Counter(tuple(arch) for arch in drawn.tolist())
    assert sorted(counts) == fitting
    assert sum((count - 40) ** 2 / 40 for count in counts.values()) < 2 * len(fitting)  # chi squared
