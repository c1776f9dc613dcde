from __future__ import annotations

import numpy as np
import pytest

from tests.space.boards import BOARD, RUNTIME
from tests.space.spaces import FACES, SMALL
from tinynas.errors import InfeasibleError
from tinynas.graph.ir import DType
from tinynas.graph.lower import bind, lower
from tinynas.graph.stats import macs as graph_macs
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflite_writer import write_tflite
from tinynas.plan.fit import fit
from tinynas.plan.planner import plan
from tinynas.quantize.ptq import quantize
from tinynas.space.cost import Budget, CandidateCost, Cost, network_cost, sample_feasible
from tinynas.space.layers import layers
from tinynas.space.mobilenet import scaled_mobilenet_v2

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
