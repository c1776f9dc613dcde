"""Flash by use adds up to the predicted image, and the network's numbers are those of the model file."""

from __future__ import annotations

import pytest

from tests.lab.nets import small_net
from tinynas.graph.tflite_reader import read_tflite
from tinynas.lab.board import Board, Core, load_board
from tinynas.plan.fit import RuntimeSize, fit
from tinynas.plan.flash import flash_parts
from tinynas.plan.kernels import kernels
from tinynas.plan.planner import plan

SIZES = RuntimeSize(6000, {source: 100 for k in kernels().values() for source in k.sources}, 0, 1700)
CORES = (Core.HOST, Core.M4, Core.M55)


@pytest.fixture(scope="module")
def board() -> Board:
    return load_board("qemu-mps2-an386")


@pytest.mark.parametrize("core", CORES)
def test_parts_add_up_to_the_predicted_image(core: Core, board: Board) -> None:
    planned = plan(read_tflite(small_net(0)), core)
    parts = flash_parts(planned, SIZES)
    assert parts.total_bytes == fit(planned, board, SIZES).flash_bytes
    assert parts.runner_bytes == 6000
    assert parts.kernels_bytes % 100 == 0


@pytest.mark.parametrize("core", CORES)
def test_the_network_s_numbers_do_not_depend_on_how_they_are_packed(core: Core) -> None:
    graph = read_tflite(small_net(0))
    parts = flash_parts(plan(graph, core), SIZES)
    weighted = [op for op in graph.ops if op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")]
    assert parts.weights_bytes == sum(graph.tensors[op.inputs[1]].elements for op in weighted)
    assert parts.biases_bytes == sum(graph.tensors[op.inputs[2]].size_bytes for op in weighted)
    scales = [graph.tensors[op.inputs[1]].quant for op in weighted]
    assert parts.requantisation_bytes == 5 * sum(quant.scale.size for quant in scales if quant is not None)
    assert parts.parameters_bytes > 0
