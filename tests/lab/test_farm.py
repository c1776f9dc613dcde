from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.nets import small_net
from tinynas.errors import FitError, LinkError, ModelError
from tinynas.lab.board import Board
from tinynas.lab.farm import Farm, Progress, measure_all
from tinynas.lab.measure import Measurement
from tinynas.lab.store import MeasurementStore


def refuse_new(progress: Progress, measurement: Measurement) -> None:
    assert progress.new == 0, "measured again"


def test_every_distinct_model_is_measured_once_and_results_keep_the_order(stm32: Board, tmp_path: Path) -> None:
    models = [small_net(seed, channels) for seed, channels in ((0, 8), (1, 16), (0, 8), (2, 8))]
    store = MeasurementStore(tmp_path / "db")
    seen: list[Progress] = []
    results = measure_all(models, stm32, store, 2, lambda progress, _: seen.append(progress))
    assert results[0] == results[2]
    assert results[1].macs > results[0].macs
    assert all(result.bit_exact for result in results)
    assert [(p.done, p.total, p.new) for p in seen] == [(1, 3, 1), (2, 3, 2), (3, 3, 3)]
    assert seen[-1].new_per_minute > 0

    again: list[Progress] = []
    assert measure_all(models, stm32, store, 2, lambda progress, _: again.append(progress)) == results
    assert [(p.done, p.new, p.new_per_minute) for p in again] == [(1, 0, 0.0), (2, 0, 0.0), (3, 0, 0.0)]


def test_how_long_the_board_was_busy_is_told_of_what_is_measured(stm32: Board, tmp_path: Path) -> None:
    """Building is no part of it, and what is in the store takes no time of a board."""
    models, store = [small_net(seed) for seed in range(2)], MeasurementStore(tmp_path / "db")
    busy_s: list[float] = []
    began_s = time.monotonic()
    with Farm(stm32, workers=1, on_busy=busy_s.append) as farm:
        farm.measure_all(models, store)
        passed_s = time.monotonic() - began_s
        farm.measure_all(models, store)
    assert len(busy_s) == 2 and min(busy_s) > 0
    assert sum(busy_s) < passed_s


@pytest.fixture(scope="module")
def farm(stm32: Board) -> Iterator[Farm]:
    with Farm(stm32, workers=1) as opened:
        yield opened


@pytest.mark.parametrize("kind", ["truncated", "too big"])
def test_a_bad_model_costs_no_other(farm: Farm, kind: str, tmp_path: Path) -> None:
    good = [small_net(seed) for seed in range(2)]
    bad = good[0][:500] if kind == "truncated" else small_net(0, side=400)
    store = MeasurementStore(tmp_path / "db")
    with pytest.raises((ModelError, FitError)) as caught:
        farm.measure_all([good[0], bad, good[1]], store)
    assert isinstance(caught.value, ModelError if kind == "truncated" else FitError)
    farm.measure_all(good, store, on_done=refuse_new)


def test_a_worker_that_dies_is_reported_and_replaced(farm: Farm, tmp_path: Path) -> None:
    models = [small_net(seed) for seed in range(3)]
    store = MeasurementStore(tmp_path / "db")

    def kill(progress: Progress, measurement: Measurement) -> None:
        if progress.done == 1:
            for child in multiprocessing.active_children():
                assert child.pid is not None
                os.kill(child.pid, signal.SIGKILL)

    with pytest.raises(LinkError, match="the worker died"):
        farm.measure_all(models, store, kill)
    assert len(farm.measure_all(models, store)) == 3


def test_a_failure_in_the_callback_drops_the_work_and_leaves_the_farm_usable(farm: Farm, tmp_path: Path) -> None:
    models = [small_net(seed) for seed in range(2)]
    with pytest.raises(AssertionError, match="measured again"):
        farm.measure_all(models, MeasurementStore(tmp_path / "one"), refuse_new)
    assert len(farm.measure_all(models, MeasurementStore(tmp_path / "two"))) == 2
