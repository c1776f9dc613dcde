"""Once-for-All from data to a verified network, shrunken; another board, with nothing trained again."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.experiments import OFA, computed, start_and_kill, summary, write_tiny
from tinynas.errors import ConfigError, InfeasibleError
from tinynas.nets.elastic import load_supernet
from tinynas.pipeline.log import read_events
from tinynas.pipeline.run import run_experiment
from tinynas.pipeline.table import measure_latency_table
from tinynas.report.run_folder import load_run

TRAINED = {"supernet", "ofa_predictor", "baselines"}

KILLS = 4
STAGES = (
    "supernet",
    "ofa_predictor",
    "latency_table",
    "ofa_search",
    "ofa_front",
    "baselines",
    "quantise_front",
    "measure",
    "onboard",
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the experiment has run, as runs/ofa."""
    folder = tmp_path_factory.mktemp("runs")
    run_experiment(write_tiny(folder, OFA), runs=folder, workers=1)
    return folder


def test_the_summary_has_what_scripts_rely_on(runs: Path) -> None:
    found = summary(runs / "ofa")
    assert {"dataset", "board", "reference", "predictor", "search", "front", "chosen", "wall_s"} <= set(found)
    predictor = {"kendall_tau", "kendall_tau_heldout", "loo_mse", "n_fit", "n_heldout", "baselines", "rmse_heldout"}
    assert predictor <= set(found["predictor"])
    assert {"evaluated", "measured", "measured_per_minute", "hypervolume", "latency_table"} <= set(found["search"])
    each = {"arch", "accuracy_int8", "latency_us", "instructions", "peak_sram_bytes", "flash_bytes", "bit_exact"}
    assert all(each <= set(entry) for entry in [*found["front"], found["chosen"]])
    assert found["search"]["space_size"] == 2 * (4 + 16) * (2 + 4)
    assert found["chosen"]["bit_exact"] and found["chosen"]["images_identical_to_host"] == 40
    assert all((runs / "ofa" / name).exists() for name in ("model.tflite", "model.json", "firmware.elf", "report.html"))
    assert load_run(runs / "ofa").summary.predictor.loo_mse is None


def without_times(found: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in found.items() if name not in ("wall_s", "seconds", "board_s", "cost")}
    for table, times in (("search", {"measured_per_minute"}), ("supernet", {"seconds", "cpu_seconds"})):
        kept[table] = {name: value for name, value in found[table].items() if name not in times}
    return kept


def test_killed_at_any_moment_it_ends_with_the_same_summary(runs: Path, tmp_path: Path) -> None:
    """kill -9 in four of the stages; with two workers where the whole run had one: that changes nothing either."""
    rng = random.Random(0)
    path = write_tiny(tmp_path, OFA)
    for stage in sorted(rng.sample(range(len(STAGES)), KILLS)):
        start_and_kill(path, "ofa", STAGES[stage], after_s=rng.uniform(0.0, 1.5))
    run_experiment(path, runs=tmp_path, workers=2)
    assert without_times(summary(tmp_path / "ofa")) == without_times(summary(runs / "ofa"))
    assert {event["sitting"] for event in read_events(tmp_path / "ofa" / "log.jsonl")} == set(range(1, KILLS + 2))


def test_only_the_supernet_is_trained(runs: Path) -> None:
    """3 + 1 + 2 + 2 epochs with one subnet and with two; what belongs to the board takes the board's time."""
    costs = summary(runs / "ofa")["cost"]
    assert {name: cost["epochs"] for name, cost in costs.items() if cost["epochs"]} == {"supernet": 8, "baselines": 2}
    on_board = {name for name, cost in costs.items() if cost["device_s"]}
    assert on_board == {"latency_table", "ofa_search", "measure", "onboard"}


def test_sums_of_the_latency_table_are_the_measured_latencies(runs: Path) -> None:
    """At most 5 % off on networks that it was not built from; and on those that the search chose by it."""
    search = summary(runs / "ofa")["search"]
    assert search["latency_table"]["mape"] < 0.05
    assert search["latency_table_mape"] < 0.08
    rows = json.loads((runs / "ofa" / "candidates.json").read_text())
    assert any(row["on_front"] for row in rows)


def test_the_supernet_is_small_enough_to_ship(runs: Path) -> None:
    """Two bytes per weight, and a little for names."""
    path = runs / "ofa" / "stages" / "supernet" / "supernet.npz"
    weights = sum(p.numel() for p in load_supernet(path).parameters())
    assert 2 * weights < path.stat().st_size < 2 * weights + 30_000


def test_another_board_trains_nothing(runs: Path) -> None:
    overrides = ["board=qemu-mps3-an547", "name=ofa-an547"]
    folder = run_experiment(runs / "tiny.toml", overrides, runs=runs, workers=1)
    assert computed(folder).isdisjoint(TRAINED)
    assert {"latency_table", "ofa_search"} <= computed(folder)
    assert summary(folder)["board"] == "qemu-mps3-an547"
    assert summary(folder)["chosen"]["bit_exact"]


def test_finetuning_is_asked_for(runs: Path) -> None:
    """The same search, its networks trained further, with the largest subnet as teacher."""
    overrides = ["ofa.finetune.epochs=1", "name=ofa-finetuned"]
    folder = run_experiment(runs / "tiny.toml", overrides, runs=runs, workers=1)
    assert computed(folder).isdisjoint({*TRAINED, "latency_table", "ofa_search"})
    before = {tuple(e["arch"]): e["accuracy_validation"] for e in summary(runs / "ofa")["front"]}
    after = {tuple(e["arch"]): e["accuracy_validation"] for e in summary(folder)["front"]}
    assert before.keys() == after.keys()
    assert all(after[arch] >= before[arch] for arch in before)
    assert any((folder / "stages" / "ofa_front" / "networks").glob("*/network.npz"))


def test_the_whole_front_in_one_search(runs: Path) -> None:
    folder = run_experiment(runs / "tiny.toml", ["ofa.search.method=nsga2", "name=ofa-nsga2"], runs=runs, workers=1)
    found = summary(folder)
    assert found["search"]["method"] == "nsga2"
    latencies = [entry["latency_us"] for entry in found["front"]]
    assert latencies == sorted(latencies)


def test_the_table_by_itself_is_the_runs(runs: Path) -> None:
    table, path = measure_latency_table(runs / "tiny.toml", runs=runs, workers=1)
    assert path.parent.resolve() == (runs / "ofa" / "stages" / "latency_table").resolve()
    assert table.check is not None and table.check.nets == 12


def test_of_stages_as_well_as_of_blocks(runs: Path) -> None:
    """With method donna the table is of the space's stages: here all blocks of a stage are alike."""
    table, _ = measure_latency_table(runs / "tiny.toml", ["method=donna"], runs=runs, workers=1)
    assert table.check is not None and table.check.mape < 0.05


def test_a_budget_that_no_subnet_keeps(runs: Path) -> None:
    overrides = ["budget.latency_us=10", "name=impossible"]
    with pytest.raises(InfeasibleError, match="the smallest subnet takes about"):
        run_experiment(runs / "tiny.toml", overrides, runs=runs, workers=1)


def test_a_space_that_no_supernet_shares_weights_over(runs: Path) -> None:
    with pytest.raises(ConfigError, match=r"tiny\.toml: space\.widths: a supernet has one width"):
        run_experiment(runs / "tiny.toml", ["space.widths=[0.5, 1.0]"], runs=runs)
