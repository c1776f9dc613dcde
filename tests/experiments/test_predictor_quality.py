"""The whole study on a few digits: what it writes, and that a second run trains nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.options import Options, study_options
from experiments.predictor_quality import main

TOML = """
name = "small"
board = "host"
[data]
dataset = "digits"
train_images = 128
validation_images = 96
test_images = 64
[space]
resolutions = [16]
stem = { channels = 8, stride = 2 }
stages = [
  { out_channels = 8, depths = [1, 2], kernels = [3, 5, 7], expand_ratios = [1, 2] },
  { out_channels = 16, stride = 2, depths = [1, 2], kernels = [3, 5], expand_ratios = [1, 2] },
]
head_channels = 0
[reference]
epochs = 1
[predictor]
n_fit = 4
n_heldout = 2
finetune = { epochs = 1 }
"""


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Options:
    folder = tmp_path_factory.mktemp("study")
    (folder / "small.toml").write_text(TOML)
    found = study_options(None, ["--runs", str(folder), "--seeds", "0", "1", "--workers", "1"])
    return replace(found, experiment=folder / "small.toml")


def trained(runs: Path) -> dict[Path, int]:
    """Checkpoints and when they were written."""
    return {path: path.stat().st_mtime_ns for path in (runs / "small" / "nets").glob("*/network.npz")}


def test_study_writes_what_it_found_and_keeps_it(options: Options) -> None:
    main(options)
    before = trained(options.runs)
    result = json.loads((options.runs / "small-predictor-quality.json").read_text())
    rows = json.loads((options.runs / "small-predictor-heldout.json").read_text())
    assert (result["n_fit"], result["n_heldout"], len(rows)) == (4 + 3, 2, 2)
    assert len(before) == (4 + 3 + 2) * 2
    assert np.isfinite([row["accuracies"] for row in rows]).all()
    assert len({json.dumps(row["arch"]) for row in rows}) == 2
    main(options)
    assert trained(options.runs) == before
