"""What stages cost: over attempts, in boards' time and in epochs."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tinynas.pipeline.cost import Cost, Meter
from tinynas.pipeline.files import read_json
from tinynas.pipeline.stage_store import Output, StageKey, StageStore

KEY = StageKey("library", 1)
BURNED_S = 0.3


def burn() -> None:
    end_s = time.process_time() + BURNED_S
    while time.process_time() < end_s:
        pass


def cost_of(output: Output) -> Cost:
    assert output.cost is not None
    return output.cost


def test_of_a_stage_that_computes_waits_trains_and_uses_a_board(tmp_path: Path) -> None:
    store = StageStore(tmp_path)

    def compute(_folder: Path) -> None:
        store.meter.device(1.5)
        store.meter.device(2.0)
        store.meter.trained(3, 12.0, 0.5)
        burn()
        time.sleep(0.2)

    found = cost_of(store.get(KEY, compute))
    assert found.cpu_s is not None
    assert found.cpu_s >= BURNED_S - 0.05
    assert found.wall_s >= found.cpu_s - 0.05 and found.wall_s >= BURNED_S + 0.15
    assert (found.device_s, found.networks, found.epochs, found.epochs_equivalent) == (3.5, 3, 12.0, 0.5)
    assert found.attempts == 1


def test_each_stage_has_its_own_cost(tmp_path: Path) -> None:
    store = StageStore(tmp_path)

    def trains(_folder: Path) -> None:
        store.meter.device(1.5)
        store.meter.trained(3, 12.0)

    store.get(KEY, trains)
    found = cost_of(store.get(replace(KEY, name="search"), lambda _: store.meter.device(1.0)))
    assert (found.device_s, found.networks, found.epochs) == (1.0, 0, 0.0)


def test_a_kept_stage_costs_what_it_cost(tmp_path: Path) -> None:
    first = StageStore(tmp_path).get(KEY, lambda _: burn())
    again = StageStore(tmp_path).get(KEY, lambda _: pytest.fail("computed again"))
    assert again.cost == first.cost


def test_attempts_that_failed_are_added_up(tmp_path: Path) -> None:
    store = StageStore(tmp_path)

    def fail(_folder: Path) -> None:
        store.meter.device(1.0)
        burn()
        raise OSError(28, "No space left on device")

    for _ in range(2):
        with pytest.raises(OSError, match="No space"):
            store.get(KEY, fail)
    found = cost_of(store.get(KEY, lambda _: store.meter.trained(2, 8.0)))
    assert found.attempts == 3
    assert found.device_s == 2.0 and found.epochs == 8.0
    assert found.cpu_s is not None and found.cpu_s >= 2 * BURNED_S - 0.1


def test_an_attempt_that_was_killed_counts_nearly_up_to_its_end(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tests.pipeline.test_cost import KEY, burn\n"
        "from tinynas.pipeline.stage_store import StageStore\n"
        "StageStore(Path(sys.argv[1])).get(KEY, lambda _: (burn(), time.sleep(600)))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    file = tmp_path / f"{KEY.folder_name}.partial" / "cost.json"
    seen = 0.0
    try:
        while seen < BURNED_S - 0.05:
            assert process.poll() is None
            time.sleep(0.1)
            seen = read_json(file)["attempts"][0]["cpu_s"] if file.exists() else 0.0
    finally:
        process.kill()
        process.wait()
    found = cost_of(StageStore(tmp_path).get(KEY, lambda _: burn()))
    assert found.attempts == 2
    assert found.cpu_s is not None and found.cpu_s >= 2 * BURNED_S - 0.1
    assert found.wall_s >= 2 * BURNED_S - 0.1


def test_what_was_computed_or_begun_before_costs_were_kept_is_unknown(tmp_path: Path) -> None:
    store = StageStore(tmp_path)
    finished = store.get(KEY, lambda _: None)
    (finished.folder / "cost.json").unlink()
    assert finished.cost is None
    (tmp_path / f"{KEY.folder_name}.partial").mkdir()
    (finished.folder).rename(tmp_path / "elsewhere")
    assert store.get(KEY, lambda _: burn()).cost is None


def test_cpu_time_that_one_attempt_does_not_know_is_unknown_in_all(tmp_path: Path) -> None:
    file = tmp_path / "cost.json"
    file.write_text(
        '{"attempts": [{"wall_s": 2.0, "cpu_s": null, "device_s": 0.5}], '
        '"training": {"networks": 0, "epochs": 0, "epochs_equivalent": null}}'
    )
    with Meter().costing(file):
        pass
    found = Cost.load(file)
    assert found is not None
    assert found.cpu_s is None and found.wall_s >= 2.0 and found.device_s == 0.5
