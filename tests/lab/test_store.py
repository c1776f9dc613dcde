from __future__ import annotations

import multiprocessing
from dataclasses import fields, replace
from pathlib import Path

import pytest

from tinynas.errors import StoreError
from tinynas.lab.measure import Measurement
from tinynas.lab.store import MeasurementKey, MeasurementStore

KEY = MeasurementKey("00ff", "qemu-stm32f405", "engine", "gcc 12", "abcd")


def measurement(instructions: int) -> Measurement:
    return Measurement(
        model="m.tflite",
        sha256="00ff",
        board="qemu-stm32f405",
        runtime="engine",
        engine_version="1",
        toolchain="gcc 12",
        clock_hz=168_000_000,
        instructions=instructions,
        latency_us=instructions / 168,
        latency_kind="virtual",
        repeats=3,
        peak_sram_bytes=1,
        runner_sram_bytes=2,
        arena_bytes=3,
        flash_bytes=4,
        macs=5,
        bit_exact=True,
        output_sha256="11",
        serial_log="log",
    )


def test_what_was_put_comes_back_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "measurements.db"
    MeasurementStore(path).put(KEY, measurement(7))
    assert MeasurementStore(f"sqlite:///{path}").get(KEY) == measurement(7)


@pytest.mark.parametrize("field", [field.name for field in fields(MeasurementKey)])
def test_every_part_of_the_key_counts(tmp_path: Path, field: str) -> None:
    store = MeasurementStore(tmp_path / "db")
    store.put(KEY, measurement(7))
    assert store.get(replace(KEY, **{field: "other"})) is None


def test_the_first_measurement_stays(tmp_path: Path) -> None:
    store = MeasurementStore(tmp_path / "db")
    store.put(KEY, measurement(7))
    store.put(KEY, measurement(8))
    assert store.get(KEY) == measurement(7)


def _put_many(path: Path, worker: int) -> None:
    store = MeasurementStore(path)
    for i in range(20):
        store.put(replace(KEY, model_sha256=f"{worker}-{i}"), measurement(i))


def test_processes_write_at_the_same_time(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.starmap(_put_many, [(tmp_path / "db", worker) for worker in range(2)])
    store = MeasurementStore(tmp_path / "db")
    for worker in range(2):
        for i in range(20):
            assert store.get(replace(KEY, model_sha256=f"{worker}-{i}")) == measurement(i)


@pytest.mark.parametrize("url", ["nonesuch://x/y", "sqlite:////proc/nonesuch/x.db"])
def test_a_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="measurement store"):
        MeasurementStore(url)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.write_bytes(b"not a database, and long enough to be told from an empty one" * 20)
    with pytest.raises(StoreError, match=f"{path}.*not a database"):
        MeasurementStore(path)


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=str(tmp_path)):
        MeasurementStore(tmp_path)
