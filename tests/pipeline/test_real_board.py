from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.experiments import write_tiny
from tinynas.errors import BoardError
from tinynas.pipeline.run import run_experiment


def test_a_run_on_a_real_board_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"nucleo-f746zg is a real board.*--set board=qemu-mps2-an500"):
        run_experiment(write_tiny(tmp_path), ["board=nucleo-f746zg"], runs=tmp_path / "runs")
