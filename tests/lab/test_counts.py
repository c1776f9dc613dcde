"""Instruction counts are a property of the network, not of what it is shown: no kernel branches on data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.twins import twin
from tinynas.lab.board import load_board
from tinynas.lab.measure import build_model
from tinynas.lab.session import open_board


@pytest.mark.parametrize("board_name", ["qemu-stm32f405", "qemu-mps3-an547"])
@pytest.mark.parametrize("model", ["kws", "resnet"])
def test_counts_do_not_depend_on_data(board_name: str, model: str, tmp_path: Path) -> None:
    """Between them the two have convolutions, depthwise, add, pool, fully connected and softmax."""
    board = load_board(board_name)
    built = build_model(twin(model), board, tmp_path)
    rng = np.random.default_rng(0)
    shapes = [built.graph.tensors[i].shape for i in built.graph.inputs]
    counts = []
    with open_board(board, log=tmp_path / "board.log") as session:
        session.flash(built.image)
        for low, high in ((-128, -127), (127, 128), (-128, 128), (-5, 5)):
            session.infer([rng.integers(low, high, shape, np.int8) for shape in shapes])
            counts.append(session.time(1).instructions)
    assert len(set(counts)) == 1, counts
