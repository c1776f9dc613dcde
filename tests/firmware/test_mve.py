"""The Helium kernels give TFLite Micro's bytes: many ops side by side in one image per family, run on QEMU."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.firmware import mve_cases
from tests.firmware.mve_cases import Mve, new_cases, tight_plan
from tinynas.engine.generate import generate
from tinynas.graph.ops import Padding
from tinynas.graph.tflite_writer import write_tflite
from tinynas.graph.tflm import TflmInterpreter
from tinynas.lab.board import Board, load_board
from tinynas.lab.build import build_image
from tinynas.lab.session import BoardSession, open_board
from tinynas.quantize.seeded import seeded_inputs

BOARD = "qemu-mps3-an547"
TOOLS = ("qemu-system-arm", "arm-none-eabi-gcc")
SAME, VALID = Padding.SAME, Padding.VALID

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {' and '.join(TOOLS)}"
)


@pytest.fixture(scope="module")
def board() -> Board:
    return load_board(BOARD)


@pytest.fixture(scope="module")
def session(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardSession]:
    with open_board(board, log=tmp_path_factory.mktemp("serial") / "log") as opened:
        yield opened


def pointwise(cases: Mve) -> None:
    """Rows in all remainders of 3 and beyond a batch; taps below, at and above a vector; filters in all of 4."""
    for size, channels in (
        ((1, 1), (1, 1)),
        ((2, 1), (16, 4)),
        ((5, 5), (7, 9)),
        ((7, 8), (16, 8)),
        ((5, 10), (8, 48)),
        ((1, 3), (17, 4)),
        ((2, 2), (32, 6)),
        ((1, 5), (40, 7)),
        ((3, 4), (24, 8)),
        ((1, 7), (65, 12)),
        ((3, 3), (96, 20)),
        ((4, 4), (12, 16)),
        ((5, 3), (33, 8)),
        ((3, 2), (48, 24)),
        ((2, 7), (3, 12)),
        ((3, 5), (20, 3)),
    ):
        mve_cases.conv(cases, size, channels)


def windows(cases: Mve) -> None:
    mve_cases.conv(cases, (9, 11), (3, 8), (3, 3), (2, 2))
    mve_cases.conv(cases, (12, 10), (3, 8), (3, 3), (2, 2))
    mve_cases.conv(cases, (11, 6), (1, 12), (10, 4), (2, 2))
    mve_cases.conv(cases, (8, 5), (16, 7), (3, 3))
    mve_cases.conv(cases, (5, 8), (16, 8), (3, 3), (2, 1), VALID)
    mve_cases.conv(cases, (7, 7), (5, 4), (5, 5), (1, 2))
    mve_cases.conv(cases, (6, 9), (17, 5), (2, 3), (1, 1), VALID)
    mve_cases.conv(cases, (9, 8), (4, 9), (3, 3), (1, 1), SAME, (2, 2))
    mve_cases.conv(cases, (9, 9), (6, 6), (3, 2), (1, 1), VALID, (2, 1))
    mve_cases.conv(cases, (7, 6), (32, 16), (1, 1), (2, 2))
    mve_cases.conv(cases, (3, 2), (9, 4), (5, 7))
    mve_cases.conv(cases, (20, 3), (1, 4), (1, 3))
    mve_cases.conv(cases, (4, 4), (30, 10), (4, 4), (4, 4))
    mve_cases.depthwise(cases, (9, 8), 1, (3, 3), (2, 2), SAME, 8)
    mve_cases.depthwise(cases, (6, 5), 1, (5, 3), (1, 1), VALID, 3)


def layers(cases: Mve) -> None:
    for rows, channels in (
        (1, (1, 1)),
        (1, (640, 8)),
        (1, (64, 12)),
        (1, (8, 33)),
        (2, (33, 5)),
        (3, (100, 4)),
        (7, (20, 10)),
        (30, (10, 6)),
        (1, (129, 2)),
    ):
        mve_cases.fully_connected(cases, rows, channels)


def depthwise(cases: Mve) -> None:
    """Each kernel with whole and partial units and groups of channels, more padding than image included."""
    mve_cases.depthwise(cases, (6, 8), 16)
    mve_cases.depthwise(cases, (5, 7), 5)
    mve_cases.depthwise(cases, (7, 6), 24)
    mve_cases.depthwise(cases, (3, 3), 33)
    mve_cases.depthwise(cases, (1, 1), 16)
    mve_cases.depthwise(cases, (9, 5), 20, (3, 3), (1, 1), VALID)
    mve_cases.depthwise(cases, (6, 6), 8, (2, 3))
    mve_cases.depthwise(cases, (8, 9), 16, (3, 3), (2, 2))
    mve_cases.depthwise(cases, (7, 12), 40, (3, 3), (2, 2))
    mve_cases.depthwise(cases, (5, 6), 7, (4, 4))
    mve_cases.depthwise(cases, (9, 7), 18, (3, 4), (3, 2), VALID)
    mve_cases.depthwise(cases, (7, 9), 16, (5, 5))
    mve_cases.depthwise(cases, (8, 6), 12, (5, 5))
    mve_cases.depthwise(cases, (5, 5), 24, (5, 5), (2, 2))
    mve_cases.depthwise(cases, (10, 13), 9, (5, 5), (2, 2))
    mve_cases.depthwise(cases, (9, 8), 6, (6, 6), (1, 1), VALID)
    mve_cases.depthwise(cases, (11, 10), 10, (6, 5), (2, 2), VALID)
    mve_cases.depthwise(cases, (7, 7), 12, (7, 7))
    mve_cases.depthwise(cases, (3, 3), 17, (7, 7))
    mve_cases.depthwise(cases, (13, 10), 20, (7, 7), (2, 2))
    mve_cases.depthwise(cases, (9, 11), 4, (8, 8), (2, 1))


def sums(cases: Mve) -> None:
    """Either operand with the larger scale, equal scales, and an output nearly too fine."""
    for kind, elements, scales in (
        ("ADD", 1, (0.02, 0.05, 0.06)),
        ("ADD", 7, (0.05, 0.02, 0.06)),
        ("ADD", 64, (0.05, 0.05, 0.04)),
        ("ADD", 257, (0.05, 0.0003, 0.05)),
        ("ADD", 130, (0.001, 0.3, 0.9)),
        ("SUB", 99, (0.02, 0.05, 0.06)),
        ("SUB", 66, (0.05, 0.02, 0.03)),
        ("ADD", 11, (0.5, 0.3, 2.0**-19)),
        ("SUB", 64, (0.1, 0.1, 0.2)),
    ):
        mve_cases.add(cases, kind, elements, scales)


def products(cases: Mve) -> None:
    for size, channels in (
        ((1, 1), 4),
        ((3, 2), 8),
        ((5, 4), 20),
        ((1, 7), 64),
        ((2, 2), 12),
        ((4, 3), 36),
        ((2, 9), 16),
    ):
        mve_cases.mul_channels(cases, size, channels)


def tables(cases: Mve) -> None:
    for turn, elements in enumerate((1, 15, 16, 17, 256, 300)):
        mve_cases.table(cases, ("HARD_SWISH", "RELU", "QUANTIZE")[turn % 3], elements)


def pools(cases: Mve) -> None:
    mve_cases.average_pool(cases, (3, 3), 20, (3, 3), (3, 3), VALID)
    mve_cases.average_pool(cases, (25, 5), 7, (25, 5), (25, 5), VALID)
    mve_cases.average_pool(cases, (7, 6), 5, (3, 3), (2, 2), SAME)
    mve_cases.average_pool(cases, (6, 6), 16, (2, 2), (2, 2), VALID)
    mve_cases.average_pool(cases, (5, 4), 3, (1, 1), (2, 2), SAME)
    mve_cases.average_pool(cases, (64, 64), 2, (64, 64), (1, 1), VALID)
    mve_cases.average_pool(cases, (61, 50), 2, (61, 50), (1, 1), VALID)


FAMILIES = {
    "pointwise": pointwise,
    "windows": windows,
    "layers": layers,
    "depthwise": depthwise,
    "sums": sums,
    "products": products,
    "tables": tables,
    "pools": pools,
}


@pytest.mark.parametrize("family", list(FAMILIES.values()), ids=list(FAMILIES))
def test_ops_are_bit_exact(family: Callable[[Mve], None], board: Board, session: BoardSession, tmp_path: Path) -> None:
    """Outputs lie as far over their inputs as the planner would ever let them."""
    cases = new_cases(seed=0)
    family(cases)
    graph = cases.net.graph()
    planned = tight_plan(graph, board.core)
    assert all("mve" in step.kernel for step in planned.steps), [step.kernel for step in planned.steps]
    session.flash(build_image(generate(graph, planned), board, folder=tmp_path))
    with TflmInterpreter(write_tflite(graph)) as interpreter:
        for inputs in seeded_inputs(graph, seed=0, n=2):
            wanted = interpreter.run(inputs)
            for k, (found, output) in enumerate(zip(session.infer(inputs), wanted, strict=True)):
                op = graph.ops[k]
                shapes = [graph.tensors[i].shape for i in (*op.inputs, *op.outputs) if i >= 0]
                np.testing.assert_array_equal(found, output.ravel(), err_msg=f"{k}: {op.kind} {op.attrs} {shapes}")
    assert session.stats().canary == "whole"
