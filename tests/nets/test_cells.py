"""Every cell with every activation and attention: one network in torch, as float graph, in TFLite Micro, on boards."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.graph.floats import run_float
from tests.nets.test_network import with_lively_norms
from tests.space.spaces import EVERY_CELL
from tinynas.engine.generate import generate
from tinynas.engine.host import HostModel
from tinynas.graph.ir import DType, Graph
from tinynas.graph.lower import bind, lower
from tinynas.graph.tflite_writer import write_tflite
from tinynas.graph.tflm import TflmInterpreter, TflmWorker
from tinynas.lab.board import Core, load_board
from tinynas.lab.build import build_image
from tinynas.lab.session import open_board
from tinynas.nets.network import Network, build_network
from tinynas.plan.planner import plan
from tinynas.quantize.calibrate import collect_ranges
from tinynas.quantize.ptq import quantize
from tinynas.quantize.seeded import seeded_inputs
from tinynas.space import cell as registry
from tinynas.space.blocks import StageOption, stage_blocks
from tinynas.space.cell import Cell, cells, register
from tinynas.space.netspec import AttentionName, BlockSpec, NetSpec, Nonlinearity
from tinynas.space.parts import Chain

torch.set_num_threads(1)

ACTIVATIONS: tuple[Nonlinearity, ...] = ("relu", "relu6", "hard_swish")
ATTENTION: tuple[AttentionName, ...] = ("none", "squeeze_excite")
TOOLS = ("qemu-system-arm", "arm-none-eabi-gcc")


@pytest.fixture(scope="module")
def worker() -> Iterator[TflmWorker]:
    with TflmWorker() as running:
        yield running


def float_graph(network: Network) -> Graph:
    return bind(lower(network.spec, DType.FLOAT32), network.folded_weights())


def samples_of(spec: NetSpec, count: int = 8) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Noise from dark to bright: networks average much of plain noise away."""
    brightness = np.linspace(0.1, 1, count, dtype=np.float32)[:, None, None, None]
    return np.random.default_rng(0).random((count, *spec.input_shape), np.float32) * brightness


def int8_graph(network: Network) -> Graph:
    graph = float_graph(network)
    return quantize(graph, collect_ranges(graph, samples_of(network.spec)))


def lively(spec: NetSpec) -> Network:
    """With large scores, so that even cells that average much of the input away give different ones."""
    network = with_lively_norms(build_network(spec, seed=1), seed=2)
    with torch.no_grad():
        network.head.classifier.weight.mul_(20)
    return network


def assert_same_everywhere(network: Network, worker: TflmWorker) -> None:
    """TFLite Micro and our engine give the same bytes, and the plan is that of the weightless network."""
    graph = int8_graph(network)
    interpreter, model = TflmInterpreter(write_tflite(graph), worker=worker), HostModel(graph)
    for inputs in seeded_inputs(graph, 0, 3):
        for found, wanted in zip(model.run(inputs), interpreter.run(inputs), strict=True):
            np.testing.assert_array_equal(found, wanted)
    for core in (Core.M4, Core.M55):
        assert plan(lower(network.spec), core) == plan(graph, core)


@pytest.mark.parametrize(
    ("cell", "activation", "attention"), list(itertools.product(sorted(cells()), ACTIVATIONS, ATTENTION))
)
def test_one_network_in_all_its_forms(
    cell: str, activation: Nonlinearity, attention: AttentionName, worker: TflmWorker
) -> None:
    """Two blocks, the second a sum, behind a stem and before a head of that activation."""
    option = StageOption(2, 3, 3.0, cell, activation, attention, 16)
    network = lively(NetSpec((13, 11, 3), 3, 8, 2, (stage_blocks(8, 16, 2, option),), 24, activation))
    graph, samples = float_graph(network), samples_of(network.spec)
    logits = next(k for k, tensor in enumerate(graph.tensors) if tensor.name == "classifier.scores")
    (found,) = run_float(graph, samples, [logits])
    with torch.no_grad():
        wanted = network(torch.from_numpy(samples).permute(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, rtol=1e-4, atol=1e-5)
    assert np.ptp(wanted, axis=0).min() > 1e-3  # else the inputs would make no difference
    assert_same_everywhere(network, worker)


def test_random_networks_of_every_cell(worker: TflmWorker) -> None:
    @settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**32 - 1))
    def check(seed: int) -> None:
        assert_same_everywhere(lively(EVERY_CELL.netspec(EVERY_CELL.sample(np.random.default_rng(seed)))), worker)

    check()


def test_a_cell_of_one_s_own(worker: TflmWorker) -> None:
    """The example of docs/space.md."""
    guide = (Path(__file__).parents[2] / "docs" / "space.md").read_text()
    (example,) = (code for code in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if "register(" in code)
    names = {"BlockSpec": BlockSpec, "Chain": Chain, "Cell": Cell, "register": register}
    exec(example, names)
    try:
        option = StageOption(2, 3, 2.0, "double_depthwise", "relu", "squeeze_excite", 16)
        network = lively(NetSpec((13, 11, 3), 3, 8, 2, (stage_blocks(8, 16, 2, option),), 24))
        assert [name for name, _ in network.get_submodule("stages.0.1").named_children()] == [
            "expand", "first", "second", "se_reduce", "se_gate", "project",
        ]  # fmt: skip
        assert_same_everywhere(network, worker)
    finally:
        registry._CELLS.pop("double_depthwise")


def mixed_spec() -> NetSpec:
    """One stage of each cell, all activations, attention in turn."""
    stages, cin = [], 8
    for k, cell in enumerate(sorted(cells())):
        cout = 8 * (k // 2 + 1)
        option = StageOption(2, 3 + 2 * (k % 2), 2.0, cell, ACTIVATIONS[k % 3], ATTENTION[(k + 1) % 2], cout)
        stages.append(stage_blocks(cin, cout, 1 + k % 2, option))
        cin = cout
    stages.append(stage_blocks(cin, cin, 1, StageOption(1, 3, 2.0, "inverted_residual", *KINDS, cin)))
    return NetSpec((20, 18, 3), 4, 8, 2, tuple(stages), 24, "hard_swish")


KINDS: tuple[Nonlinearity, AttentionName] = ("hard_swish", "squeeze_excite")


@pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {' and '.join(TOOLS)}")
@pytest.mark.parametrize("board", ["qemu-mps2-an386", "qemu-mps3-an547"])
def test_every_cell_on_a_board(board: str, worker: TflmWorker) -> None:
    """Cortex-M4 and M55: the bytes of TFLite Micro."""
    graph = int8_graph(lively(mixed_spec()))
    interpreter = TflmInterpreter(write_tflite(graph), worker=worker)
    with open_board(load_board(board)) as session:
        session.flash(build_image(generate(graph, plan(graph, session.board.core)), session.board))
        for inputs in seeded_inputs(graph, 0, 3):
            for found, wanted in zip(session.infer(inputs), interpreter.run(inputs), strict=True):
                np.testing.assert_array_equal(found, wanted.ravel())
