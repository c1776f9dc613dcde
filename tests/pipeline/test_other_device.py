"""Whole runs on a device that is not the CPU: no stage, and none after it, mixes devices.

That trainings come to the same there is for `tests.train.test_other_device` to show.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.experiments import OFA, TINY, summary, write_tiny
from tests.train.emulated_device import emulated
from tinynas.pipeline.run import run_experiment


def run(folder: Path, text: str) -> dict[str, Any]:
    return summary(run_experiment(write_tiny(folder, text), runs=folder, workers=1))


@pytest.mark.parametrize("text", [TINY, OFA], ids=["donna", "ofa"])
def test_a_run_ends_with_a_network_that_the_board_agrees_on(text: str, tmp_path: Path) -> None:
    found = emulated(run, tmp_path, text)
    assert found["chosen"]["bit_exact"]
    assert found["chosen"]["accuracy_int8"] > 0.2  # of ten classes
