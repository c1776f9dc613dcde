"""The main job on a shrunken experiment: every stage is real, with QEMU as the board."""

from __future__ import annotations

import csv
import errno
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pipeline.experiments import computed, start_and_kill, summary, write_tiny
from tinynas.data.images import at_resolution
from tinynas.errors import ConfigError, InfeasibleError, StoreError
from tinynas.graph.tflm import TflmInterpreter
from tinynas.lab import image_makers
from tinynas.pipeline.config import load_experiment
from tinynas.pipeline.jobs import dataset
from tinynas.pipeline.log import read_events
from tinynas.pipeline.run import run_experiment
from tinynas.pipeline.stage_store import StageStore
from tinynas.search.pareto import non_dominated

KILLS = 5
STAGES = (
    "reference",
    "library",
    "predictor",
    "search",
    "finetune",
    "baselines",
    "quantise_front",
    "measure",
    "onboard",
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the tiny experiment has run, as runs/tiny."""
    folder = tmp_path_factory.mktemp("runs")
    run_experiment(write_tiny(folder), runs=folder, workers=1)
    return folder


def without_times(found: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in found.items() if name not in ("wall_s", "seconds", "board_s", "cost")}
    kept["library"] = {k: v for k, v in found["library"].items() if k not in ("cpu_s", "entries_per_minute")}
    kept["search"] = {name: value for name, value in found["search"].items() if name != "measured_per_minute"}
    return kept


def said(folder: Path, sitting: int) -> str:
    return "\n".join(e["text"] for e in read_events(folder / "log.jsonl") if e["sitting"] == sitting and "text" in e)


def test_the_summary_has_what_scripts_rely_on(runs: Path) -> None:
    found = summary(runs / "tiny")
    assert {"dataset", "board", "reference", "predictor", "search", "front", "chosen", "wall_s"} <= set(found)
    predictor = {"kendall_tau", "kendall_tau_heldout", "loo_mse", "n_fit", "n_heldout", "baselines"}
    assert predictor <= set(found["predictor"])
    assert {"sum_nsr", "macs", "params", "zero_shot"} <= set(found["predictor"]["baselines"])
    assert {"evaluated", "measured", "measured_per_minute", "hypervolume"} <= set(found["search"])
    each = {"arch", "accuracy_int8", "latency_us", "instructions", "peak_sram_bytes", "flash_bytes", "bit_exact"}
    assert all(each <= set(entry) for entry in [*found["front"], found["chosen"]])
    assert {"accuracy_float", "accuracy_on_board", "images_on_board"} <= set(found["chosen"])
    assert {"entries", "entries_per_minute", "epochs_equivalent", "reference_epochs"} <= set(found["library"])
    assert {"noise_ceiling_tau", "heldout_mse", "baselines_heldout"} <= set(found["predictor"])
    assert set(found["board_s"]) == {"front", "finetune"}
    assert found["wall_s"] > 0


def test_everything_measured_is_exact_and_the_rate_is_known(runs: Path) -> None:
    found = summary(runs / "tiny")
    assert all(entry["bit_exact"] for entry in found["front"])
    assert found["search"]["measured"] == 12
    assert found["search"]["measured_per_minute"] > 0


def test_the_front_is_not_dominated_on_validation_and_the_chosen_is_its_best(runs: Path) -> None:
    found = summary(runs / "tiny")
    points = [(1 - entry["accuracy_validation"], entry["latency_us"]) for entry in found["front"]]
    assert non_dominated(np.array(points)).all()
    assert max(found["front"], key=lambda entry: entry["accuracy_validation"])["arch"] == found["chosen"]["arch"]


def test_the_board_agrees_with_the_host_on_every_test_image(runs: Path) -> None:
    chosen = summary(runs / "tiny")["chosen"]
    assert chosen["images_on_board"] == chosen["images_identical_to_host"] == 40
    assert chosen["accuracy_on_board"] == chosen["accuracy_int8"]


def test_the_model_file_scores_what_the_summary_says(runs: Path) -> None:
    folder = runs / "tiny"
    about = json.loads((folder / "model.json").read_text())
    test = dataset(load_experiment(runs / "tiny.toml").data).test
    images = at_resolution(test.images, about["input"]["height"])
    with TflmInterpreter((folder / "model.tflite").read_bytes()) as interpreter:
        inputs = (images.astype(np.int16) - 128).astype(np.int8)
        scores = interpreter.run_many([inputs[:, np.newaxis]])[0].reshape(len(test), -1)
    assert float((scores.argmax(1) == test.labels).mean()) == summary(folder)["chosen"]["accuracy_int8"]
    assert len(about["labels"]) == scores.shape[1] == 10


def test_the_folder_holds_what_a_user_takes_away(runs: Path) -> None:
    folder = runs / "tiny"
    for name in ("model.tflite", "model.json", "firmware.elf", "report.html", "log.jsonl", "example/classify.py"):
        assert (folder / name).stat().st_size > 0, name
    stages = {path.name for path in (folder / "stages").iterdir()}
    assert {"reference", "library", "predictor", "search", "finetune", "baselines", "onboard"} <= stages
    assert (runs / "measurements.db").exists()


def test_the_example_classifies_an_image_on_the_board(runs: Path) -> None:
    """It says what the host's interpreter says of the same image."""
    folder = runs / "tiny" / "example"
    command = [sys.executable, "classify.py", "image.png"]
    shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True).stdout
    rows = list(csv.reader(shown.splitlines(), delimiter=" ", skipinitialspace=True))
    assert len(rows) == 10
    total = sum(float(row[0].rstrip("%")) for row in rows)
    assert total == pytest.approx(100, abs=2)  # ten roundings to 1/256


def test_each_stage_tells_what_it_cost(runs: Path) -> None:
    costs = summary(runs / "tiny")["cost"]
    epochs = {name: cost["epochs"] for name, cost in costs.items() if cost["epochs"]}
    entries = json.loads((runs / "tiny" / "summary.json").read_text())["library"]["trained"]
    assert epochs.keys() == {"reference", "library", "predictor", "finetune", "baselines"}
    assert (epochs["reference"], epochs["library"], epochs["predictor"]) == (3, entries, 6)
    assert costs["finetune"]["epochs"] == 2 * costs["finetune"]["networks"] + 1
    assert {name for name, cost in costs.items() if cost["device_s"]} == {"search", "measure", "onboard"}
    assert all(cost["cpu_s"] is None or cost["cpu_s"] > 0 for cost in costs.values())


def test_run_again_keeps_everything(runs: Path) -> None:
    before = summary(runs / "tiny")
    run_experiment(runs / "tiny.toml", runs=runs, workers=1)
    again = summary(runs / "tiny")
    assert without_times(again) == without_times(before)
    assert again["search"]["measured_per_minute"] == before["search"]["measured_per_minute"]
    assert again["wall_s"] > before["wall_s"]
    assert computed(runs / "tiny", 2) == {"data"}


def test_a_changed_setting_recomputes_what_depends_on_it_and_says_so(runs: Path) -> None:
    run_experiment(runs / "tiny.toml", ["name=changed"], runs=runs, workers=1)
    folder = run_experiment(runs / "tiny.toml", ["name=changed", "search.population=5"], runs=runs, workers=1)
    assert computed(folder, 1) == {"data"}
    assert computed(folder, 2) >= {"search", "finetune"}
    assert not computed(folder, 2) & {"reference", "library", "predictor", "baselines"}
    assert "search: computed anew, since this changed: search.population" in said(folder, 2)


def test_another_planner_measures_again_and_trains_nothing(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it can change is computed anew; here it finds the same, so that nothing after it changes."""
    run_experiment(runs / "tiny.toml", ["name=planned"], runs=runs, workers=1)
    monkeypatch.setattr(image_makers, "planner_hash", lambda: "another")
    folder = run_experiment(runs / "tiny.toml", ["name=planned"], runs=runs, workers=1)
    assert computed(folder, 2) == {"data", "search", "measure", "onboard"}
    assert "search: computed anew, since this changed: planner" in said(folder, 2)
    assert summary(folder)["search"]["measured_per_minute"] is not None  # not from the store
    assert summary(folder)["chosen"] == summary(runs / "tiny")["chosen"]


def test_finetuning_is_told_epoch_by_epoch(runs: Path) -> None:
    found = summary(runs / "tiny")["finetune"]
    assert len(found["finetuned"]) == 3 and found["scratch"] is None


def test_what_another_search_had_finetuned_is_taken_over(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The results are those of training it all again."""

    def later(folder: Path) -> Path:
        shutil.copytree(runs, folder, symlinks=True)
        settings = ["name=later", "search.generations=2"]
        return run_experiment(runs / "tiny.toml", settings, runs=folder, workers=1)

    folder = later(tmp_path / "shared")
    assert "trainings taken over from other searches" in said(folder, 1)
    shared = summary(folder)
    monkeypatch.setattr(StageStore, "alike", lambda *_: [])
    alone = summary(later(tmp_path / "alone"))
    assert [shared[name] for name in ("front", "chosen", "finetune")] == [
        alone[name] for name in ("front", "chosen", "finetune")
    ]
    assert shared["cost"]["finetune"]["networks"] < alone["cost"]["finetune"]["networks"]
    assert shared["cost"]["finetune"]["epochs"] < alone["cost"]["finetune"]["epochs"]


def test_the_front_is_there_before_any_finetuning(runs: Path) -> None:
    front = summary(runs / "tiny")["search"]["front"]
    points = np.array([(1 - entry["predicted_accuracy"], entry["latency_us"]) for entry in front])
    assert len(front) > 1 and non_dominated(points).all()


def test_sums_over_blocks_search_and_measurements_decide(runs: Path) -> None:
    """Also: objectives and limits by name, another method, and the comparison with training from scratch."""
    settings = [
        "name=blocks",
        "search.latency=blocks",
        "search.method=aging",
        'search.objectives=["error", "latency_us", "flash_bytes"]',
        "search.limits={flash_bytes=40000}",
        "ofa.latency_table={nets=10,check_nets=3}",
        "finetune.scratch={epochs=2}",
    ]
    folder = run_experiment(runs / "tiny.toml", settings, runs=runs, workers=1)
    found, candidates = summary(folder), json.loads((folder / "candidates.json").read_text())
    assert found["search"]["latency"]["kind"] == "blocks"
    assert 0 <= found["search"]["latency"]["front_mape"] < 0.25
    measured = [row for row in candidates if row["measured"]]
    assert found["search"]["measured"] == len(measured) < len(candidates) == 12
    assert all(row["measured"] and row["bit_exact"] for row in candidates if row["on_front"])
    assert all(row["flash_bytes"] <= 40000 for row in candidates if row["within_limits"])
    points = [(1 - e["accuracy_validation"], e["latency_us"], e["flash_bytes"]) for e in found["front"]]
    assert non_dominated(np.array(points)).all()
    assert len(found["finetune"]["scratch"]) == 2
    assert not computed(folder, 1) & {"reference", "library", "predictor"}


def test_own_checkpoint_is_the_reference(runs: Path) -> None:
    """The trained reference of another run given as a file: nothing is trained for it, and the teacher is the same."""
    own = runs / "tiny" / "stages" / "reference" / "network.npz"
    settings = ["name=own", f"reference.checkpoint={json.dumps(str(own))}"]
    folder = run_experiment(runs / "tiny.toml", settings, runs=runs, workers=1)
    assert summary(folder)["reference"] == summary(runs / "tiny")["reference"]
    assert summary(folder)["library"]["reference_epochs"] is None
    wrong = ["name=own", f"reference.checkpoint={json.dumps(str(own))}", "space.head_channels=32"]
    with pytest.raises(
        ConfigError, match=r"reference.checkpoint .*network.npz: .* head channels 0, the space wants 32"
    ):
        run_experiment(runs / "tiny.toml", wrong, runs=runs, workers=1)


def test_another_board_reuses_reference_library_and_predictor(runs: Path) -> None:
    folder = run_experiment(runs / "tiny.toml", ["name=other", "board=qemu-mps2-an386"], runs=runs, workers=1)
    assert not computed(folder, 1) & {"reference", "library", "predictor", "baselines"}
    assert computed(folder, 1) >= {"search", "onboard"}
    found = summary(folder)
    assert found["board"] == "qemu-mps2-an386"
    assert found["predictor"] == summary(runs / "tiny")["predictor"]
    assert all(entry["bit_exact"] for entry in found["front"])


def test_a_latency_that_no_network_keeps_is_told_with_the_nearest(runs: Path) -> None:
    with pytest.raises(InfeasibleError, match=r"nearest, r12 .*latency_us [0-9.]+ \(limit 1\)"):
        run_experiment(runs / "tiny.toml", ["name=hasty", "budget.latency_us=1"], runs=runs, workers=1)


def test_memory_that_no_network_keeps_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(InfeasibleError, match=r"nearest, r12 .*needs \d+ of 2000 B SRAM"):
        run_experiment(write_tiny(tmp_path), ["budget.sram_bytes=2000"], runs=tmp_path)
    assert computed(tmp_path / "tiny", 1) == {"data"}


def test_a_full_disk_is_one_line_and_costs_nothing_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "stages"))

    monkeypatch.setattr("tinynas.pipeline.stages.library.build_library", full)
    with pytest.raises(StoreError, match="the disk is full; free some space and run the same command again") as caught:
        run_experiment(write_tiny(tmp_path), runs=tmp_path, workers=1)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "tiny" / "stages" / "reference" / "network.npz").exists()


def test_two_runs_of_one_name_do_not_mix(tmp_path: Path) -> None:
    import fcntl

    folder = tmp_path / "tiny"
    folder.mkdir()
    with (folder / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="another `tinynas run` is at work there"):
            run_experiment(write_tiny(tmp_path), runs=tmp_path)


def test_killed_at_any_moment_it_ends_with_the_same_summary(runs: Path, tmp_path: Path) -> None:
    """kill -9 five times, in any stage; with two workers where the whole run had one: that changes nothing either."""
    rng = random.Random(0)
    path = write_tiny(tmp_path)
    for stage in sorted(rng.sample(range(len(STAGES)), KILLS)):
        start_and_kill(path, "tiny", STAGES[stage], after_s=rng.uniform(0.0, 1.5))
    run_experiment(path, runs=tmp_path, workers=2)
    assert without_times(summary(tmp_path / "tiny")) == without_times(summary(runs / "tiny"))
    sittings = {event["sitting"] for event in read_events(tmp_path / "tiny" / "log.jsonl")}
    assert len(sittings) == KILLS + 1
