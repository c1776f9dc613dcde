"""The whole study on a few digits and real QEMU: what each target pays for, and that a second run pays nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.cost import CostOptions, main, options_of
from experiments.tables import cost_table
from tests.pipeline.experiments import write_tiny

TOML = """
name = "small"
board = "qemu-stm32f405"
[data]
dataset = "digits"
train_images = 128
validation_images = 96
[space]
resolutions = [16]
stem = { channels = 8, stride = 2 }
stages = [
  { out_channels = 8, depths = [1], kernels = [3, 5], expand_ratios = [1] },
  { out_channels = 8, stride = 2, depths = [1], kernels = [3, 5], expand_ratios = [1] },
]
head_channels = 0
[reference]
epochs = 1
[predictor]
n_fit = 4
n_heldout = 0
finetune = { epochs = 1 }
[search]
population = 4
generations = 0
[finetune]
front = { epochs = 1 }
chosen = { epochs = 1 }
[quantise]
calibration_images = 8
candidate_images = 4
"""
ONCE = {"reference", "library", "predictor", "baselines", "quantise_baselines"}


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> CostOptions:
    """Three targets have been run: two boards, and a limit on the first."""
    folder = tmp_path_factory.mktemp("study")
    path = write_tiny(folder, TOML)
    arguments = ["--runs", str(folder), "--workers", "1", "--experiment", str(path), "--on", "qemu-mps2-an386"]
    found = options_of([*arguments, "--boards", "1", "3", "20", "--run", "3", "--set", "data.test_images=16"])
    main(found)
    return found


@pytest.fixture(scope="module")
def result(options: CostOptions) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((options.runs / "small-cost.json").read_text())
    return found


def test_only_the_first_board_trains_what_all_share(result: dict[str, Any]) -> None:
    boards = [(row["board"], row["limit_us"] is None) for row in result["targets"]]
    assert boards == [("qemu-stm32f405", True), ("qemu-mps2-an386", True), ("qemu-stm32f405", False)]
    first, second, limited = (set(row["new"]) for row in result["targets"])
    assert first >= ONCE
    assert "search" in second and not second & ONCE
    assert "search" in limited and not limited & ONCE


def test_phases_tell_epochs_and_boards_time(result: dict[str, Any]) -> None:
    phases = result["phases"]
    assert phases["first"]["reference"]["epochs"] == 1
    assert phases["first"]["predictor"]["epochs"] == 4
    assert 0 < phases["first"]["library"]["epochs"] < 4  # 3 blocks, in epochs of the whole reference
    assert phases["first"]["finetune"]["epochs"] == 2
    chosen = [row["chosen"]["name"] for row in result["targets"]]
    assert chosen[0] == chosen[1] and phases["further_board"]["finetune"]["epochs"] == 0  # both have one network's
    assert phases["first"]["search"]["device_s"] > 0 and phases["first"]["reference"]["device_s"] == 0
    assert phases["further_board"]["onboard"]["device_s"] > 0


def test_every_board_computes_what_the_host_does(result: dict[str, Any]) -> None:
    chosen = [row["chosen"] for row in result["targets"]]
    assert [(one["images_on_board"], one["images_identical_to_host"]) for one in chosen] == [(16, 16)] * 3
    assert "48 of 48 images" in "\n".join(cost_table(result))
    assert all(row["latency_table"] is None for row in result["targets"])  # DONNA times every candidate


def test_what_was_not_run_is_marked(result: dict[str, Any]) -> None:
    assert [(one["targets"], one["product"]) for one in result["for_targets"]] == [(1, False), (3, False), (20, True)]
    assert "product" in "\n".join(cost_table(result))


def test_stages_and_rest_add_up_to_the_runs(result: dict[str, Any]) -> None:
    whole = sum(row["cpu_s"] for row in result["targets"])
    assert result["cumulated"][-1]["cpu_s"] == pytest.approx(whole, rel=0.05)


def test_run_again_nothing_is_computed(options: CostOptions, result: dict[str, Any]) -> None:
    def written() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in (options.runs / "small-cost").rglob("*.json")}

    before = written()
    main(options)
    assert written() == before
    assert json.loads((options.runs / "small-cost.json").read_text()) == result
