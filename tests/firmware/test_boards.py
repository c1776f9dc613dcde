"""Every op gives TFLite Micro's bytes on emulated Cortex-M0, M4, M7, M33 and M55: portable C, DSP assembly, Helium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.engine.cases import AddCase, graphs, tight_plan
from tests.engine.test_parity import CASES
from tests.firmware.test_dsp import DSP_CASES, described
from tinynas.engine.generate import generate
from tinynas.graph.ir import Graph
from tinynas.graph.tflite_writer import write_tflite
from tinynas.graph.tflm import TflmInterpreter, TflmWorker
from tinynas.lab.board import Core, load_board
from tinynas.lab.build import build_image
from tinynas.lab.session import BoardSession, open_board
from tinynas.quantize.seeded import seeded_inputs

TOOLS = ("qemu-system-arm", "arm-none-eabi-gcc")
OPS = 16  # in one image
SMALL_OPS = 4  # where 16 KiB of SRAM are all there is
BOARDS = ["qemu-mps2-an386", "qemu-mps2-an500", "qemu-mps2-an505", "qemu-mps3-an547", "qemu-microbit"]

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {' and '.join(TOOLS)}"
)


@pytest.fixture(scope="module")
def worker() -> Iterator[TflmWorker]:
    with TflmWorker() as running:
        yield running


@pytest.fixture(
    scope="module", params=["qemu-mps2-an386", "qemu-mps2-an500", "qemu-mps2-an505", "qemu-mps3-an547", "qemu-microbit"]
)
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardSession]:
    log: Path = tmp_path_factory.mktemp("serial") / "log"
    with open_board(load_board(request.param), log=log) as opened:
        yield opened


@pytest.mark.parametrize("add_case", [*DSP_CASES, *CASES], ids=lambda case: case.__name__)
def test_op_is_bit_exact_on_the_board(add_case: AddCase, session: BoardSession, worker: TflmWorker) -> None:
    """Other draws than on the host, many ops in one image, each output as far over its input as it may lie."""
    small = session.board.core is Core.M0
    if small and add_case in DSP_CASES:
        pytest.skip("shapes made for the DSP kernels; a Cortex-M0 has the portable ones")

    @settings(
        max_examples=2,  # the first is the simplest
        phases=[Phase.generate],
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(graph=graphs(add_case, cases=SMALL_OPS if small else OPS))
    def check(graph: Graph) -> None:
        plan = tight_plan(graph, session.board.core)
        session.flash(build_image(generate(graph, plan), session.board))
        inputs = seeded_inputs(graph, seed=1)[0]
        expected = TflmInterpreter(write_tflite(graph), worker=worker).run(inputs)
        for k, (found, wanted) in enumerate(zip(session.infer(inputs), expected, strict=True)):
            np.testing.assert_array_equal(found, wanted.ravel(), err_msg=described(graph, graph.outputs[k]))

    check()
