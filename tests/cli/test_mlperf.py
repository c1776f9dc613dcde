"""`tinynas mlperf` on a folder in the benchmark's layout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Tinynas
from tests.cli.models import int8_model, small_spec

BOARD = "qemu-stm32f405"
SIDE, CLASSES, FILES = 16, 3, 7


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vww01")
    rng = np.random.default_rng(0)
    rows = []
    for k in range(FILES):
        (folder / f"{k}.bin").write_bytes(rng.bytes(SIDE * SIDE))
        rows.append(f"{k}.bin,{CLASSES},{k % CLASSES}\n")
    (folder / "y_labels.csv").write_text("".join(rows))
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "net.tflite"
    path.write_bytes(int8_model(small_spec(SIDE, 1, CLASSES)))
    return path


def test_both_passes_leave_their_files(tinynas: Tinynas, model: Path, data: Path, tmp_path: Path) -> None:
    options = ("--board", BOARD, "--window-s", "0.01", "-o", tmp_path, "--json")
    result = tinynas("mlperf", model, data, *options)
    assert result.status == 0, result.err
    found = json.loads(result.out)
    timed = json.loads((Path(found["performance"]["folder"]) / "results.json").read_text())
    scored = json.loads((Path(found["accuracy"]["folder"]) / "results.json").read_text())
    assert [entry["file"] for entry in timed] == [f"{k}.bin" for k in range(5)]
    assert [entry["class"] for entry in scored] == [str(k % CLASSES) for k in range(FILES)]
    correct = [int(np.argmax(entry["infer"]["results"])) == int(entry["class"]) for entry in scored]
    assert found["accuracy"]["top1"] == np.mean(correct)
    throughputs = [entry["infer"]["throughput"] for entry in timed]
    assert found["performance"]["throughput_per_s"] == pytest.approx(np.median(throughputs))
    assert found["performance"]["by_the_rules"] is False
    assert Path(found["serial_log"]).is_file()


def test_one_pass_in_words(tinynas: Tinynas, model: Path, data: Path, tmp_path: Path) -> None:
    options = ("--board", BOARD, "--mode", "accuracy", "--limit", "3", "-o", tmp_path)
    words = tinynas("mlperf", model, data, *options).out
    assert "of 3 files" in words and "throughput" not in words
    assert len(list((tmp_path / "sessions").iterdir())) == 1
