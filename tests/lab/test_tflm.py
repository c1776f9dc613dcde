"""Runtime tflm: what is generated compiles against upstream's interface, links into our runner, and runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.lab.nets import SIDE, small_net
from tests.lab.tflm_double import write_double
from tinynas.errors import ModelFaultError, ToolError
from tinynas.graph.interface import deployable
from tinynas.graph.tflite_reader import read_tflite
from tinynas.lab.board import load_board
from tinynas.lab.session import open_board
from tinynas.lab.steady import Repeats
from tinynas.lab.tflm_build import build_tflm
from tinynas.lab.tflm_measure import measure_tflm_on_board
from tinynas.lab.tflm_model import generate_tflm, method, op_methods
from tinynas.lab.tflm_tree import find_tree

MODEL = small_net(seed=8)
METHODS = op_methods(deployable(read_tflite(MODEL)))
BOARD = load_board("qemu-stm32f405")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    write_double(tmp_path / "tflm", METHODS, SIDE * SIDE, 2)
    return tmp_path / "tflm"


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("CONV_2D", "AddConv2D"),
        ("DEPTHWISE_CONV_2D", "AddDepthwiseConv2D"),
        ("RELU6", "AddRelu6"),
        ("PADV2", "AddPadV2"),
        ("FULLY_CONNECTED", "AddFullyConnected"),
        ("SPACE_TO_BATCH_ND", "AddSpaceToBatchNd"),
        ("RESIZE_NEAREST_NEIGHBOR", "AddResizeNearestNeighbor"),
    ],
)
def test_ops_have_upstream_s_names(kind: str, wanted: str) -> None:
    assert method(kind) == wanted


def test_every_op_is_registered_once_and_no_other() -> None:
    source = generate_tflm(MODEL, 1024).files["model.cpp"].decode()
    kinds = {op.kind for op in deployable(read_tflite(MODEL)).ops}
    assert len(METHODS) == len(kinds)
    assert all(source.count(f"resolver->{name}()") == 1 for name in METHODS)
    assert source.count("resolver->Add") == len(kinds)
    assert f"MicroMutableOpResolver<{len(kinds)}>" in source


@pytest.mark.parametrize("name", ["qemu-stm32f405", "qemu-microbit"])
def test_the_image_runs_upstream_s_interpreter(tree: Path, tmp_path: Path, name: str) -> None:
    """The double adds 1: inputs and outputs are where it put them in the arena, and counts are those of any image."""
    board = load_board(name)
    folder = tmp_path / "image"
    image = build_tflm(generate_tflm(MODEL, 4096), board, find_tree(board, tree), folder)
    with open_board(board, log=tmp_path / "log") as session:
        hello = session.flash(image)
        assert hello.ops == len(deployable(read_tflite(MODEL)).ops)
        given = np.random.default_rng(0).integers(-128, 128, (1, SIDE, SIDE, 1), np.int8)
        (found,) = session.infer([given])
        assert found.tobytes() == (given.ravel()[:2].astype(int) + 1).astype(np.int8).tobytes()
        assert session.stats().arena_bytes == 32 + SIDE * SIDE + 2
        assert len(set(session.time(3).all_instructions)) == 1


def test_a_measurement_says_what_ran(tree: Path, tmp_path: Path) -> None:
    with open_board(BOARD, log=tmp_path / "log") as session:
        found = measure_tflm_on_board(MODEL, session, Repeats(1, 3), model="m", folder=tree)
    assert (found.runtime, found.board, found.latency_kind) == ("tflm", BOARD.name, "virtual")
    assert found.arena_bytes == 32 + SIDE * SIDE + 2
    assert found.instructions is not None and found.flash_bytes is not None
    assert not found.bit_exact  # the double is no interpreter
    assert "reference kernels" in found.toolchain


def test_an_arena_that_is_too_small_is_told(tree: Path, tmp_path: Path) -> None:
    image = build_tflm(generate_tflm(MODEL, 64), BOARD, find_tree(BOARD, tree), tmp_path / "image")
    with open_board(BOARD, log=tmp_path / "log") as session:
        session.flash(image)
        with pytest.raises(ModelFaultError, match="status 2"):
            session.infer_many(1)


def test_cmsis_nn_is_taken_where_the_tree_has_it(tree: Path) -> None:
    assert "-DCMSIS_NN" not in find_tree(BOARD, tree).defines
    source = tree / "third_party" / "cmsis_nn" / "Source" / "arm_nn.c"
    source.parent.mkdir(parents=True)
    source.write_text("int arm_nn;")
    found = find_tree(BOARD, tree)
    assert "-DCMSIS_NN" in found.defines
    assert source in found.sources
    assert not [path for path in found.sources if "test" in path.name or "examples" in path.parts]


def test_a_version_without_an_op_is_told(tmp_path: Path) -> None:
    write_double(tmp_path, METHODS[1:], 1, 1)
    with pytest.raises(ToolError, match=f"has no {METHODS[0]}; take a newer one"):
        find_tree(BOARD, tmp_path).require(METHODS)


def test_without_the_sources_the_way_to_get_them_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TINYNAS_TFLM", raising=False)
    with pytest.raises(ToolError, match=r"needs TFLite Micro's sources, in --tflm or \$TINYNAS_TFLM; make one"):
        find_tree(BOARD)
    monkeypatch.setenv("TINYNAS_TFLM", str(tmp_path))
    with pytest.raises(ToolError, match=r"no TFLite Micro there: .*create_tflm_tree"):
        find_tree(BOARD)
