"""The measurement store on a real PostgreSQL server, and what is particular to it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.lab.postgres import postgres
from tests.lab.regression.samples import run_result
from tests.lab.test_store import KEY, measurement
from tinynas.errors import StoreError
from tinynas.lab.regression.history import History
from tinynas.lab.store import MeasurementStore


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres() as found:
        yield found


def _put_many(url: str, worker: int) -> None:
    store = MeasurementStore(url)
    for k in range(20):
        store.put(replace(KEY, model_sha256=f"{worker}-{k}"), measurement(k))
        store.put(KEY, measurement(worker))


def test_many_processes_make_the_table_and_write_at_once(url: str) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_put_many, args=(url, k)) for k in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    store = MeasurementStore(url)
    for k in range(3):
        assert store.get(replace(KEY, model_sha256=f"{k}-19")) == measurement(19)
    first = store.get(KEY)
    assert first in [measurement(k) for k in range(3)]
    store.put(KEY, measurement(99))
    assert store.get(KEY) == first


def test_the_history_of_a_suite_comes_back_as_it_was(url: str) -> None:
    runs = [run_result("20260101T000000"), run_result("20260102T000000", latency_us=7.5)]
    history = History(url)
    for result in [*runs, runs[0]]:
        history.add(result)
    entries = history.entries("s")
    assert [(entry.run, entry.metrics) for entry in entries] == [(run.run, run.cases[0].metrics) for run in runs]
    assert history.entries("another") == []


def test_a_server_that_is_down_is_named_without_its_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        MeasurementStore("postgresql://lab:secret@127.0.0.1:9/none")
    assert "lab:***@127.0.0.1:9" in str(caught.value)
    assert "refused" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("wrong", ["mysql://lab:secret@host/x", "nonsense://lab:secret@host/x"])
def test_another_kind_of_database_is_refused_without_its_password(wrong: str) -> None:
    with pytest.raises(StoreError, match="wanted an SQLAlchemy URL") as caught:
        MeasurementStore(wrong)
    assert "secret" not in str(caught.value)
