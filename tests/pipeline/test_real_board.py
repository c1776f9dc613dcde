from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pipeline.experiments import write_tiny
from tinynas.errors import BoardError, PortLostError
from tinynas.pipeline.run import run_experiment


def test_a_board_that_is_not_attached_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"nucleo-f746zg is a real board, and none is attached.*--port"):
        run_experiment(write_tiny(tmp_path), ["board=nucleo-f746zg"], runs=tmp_path / "runs")


def test_so_is_a_port_that_is_not_there(tmp_path: Path) -> None:
    port = str(tmp_path / "port")
    for overrides, argument in ((["board=nucleo-f746zg"], port), (["board=nucleo-f746zg", f"port={port}"], None)):
        with pytest.raises(PortLostError, match=f"{re.escape(port)}: cannot be opened"):
            run_experiment(write_tiny(tmp_path), overrides, runs=tmp_path / "runs", port=argument)
