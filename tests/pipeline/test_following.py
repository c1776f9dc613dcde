"""Trainings in other processes are followed epoch by epoch, whoever starts or ends when."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.pipeline.test_jobs import job
from tinynas.pipeline.following import following
from tinynas.pipeline.jobs import TrainJob, accuracy_by_epoch, run_jobs


def jobs(tmp_path: Path) -> list[TrainJob]:
    return [job(tmp_path / name) for name in ("a", "b")]


def test_every_epoch_of_all_trainings_counts(tmp_path: Path) -> None:
    told: list[tuple[int, float]] = []
    both = jobs(tmp_path)
    with following(both, lambda done, best: told.append((done, best))):
        run_jobs(both, 2)
    numbers = [done for done, _ in told]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 6
    assert told[-1][1] == max(max(accuracy_by_epoch(one.folder).values()) for one in both)


def test_a_training_is_told_of_while_it_runs(tmp_path: Path) -> None:
    """An epoch that is noted within the block is told of within it."""
    told: list[int] = []
    one = job(tmp_path / "one")
    with following([one], lambda done, _: told.append(done)):
        one._note(1, 0.25)
        until = time.monotonic() + 60
        while not told and time.monotonic() < until:
            time.sleep(0.01)
        assert told == [1]
    assert told == [1]


def test_what_an_earlier_sitting_did_counts_and_an_error_passes(tmp_path: Path) -> None:
    told: list[int] = []
    one = job(tmp_path / "one")
    one._note(1, 0.25)
    one._note(2, 0.5)
    with pytest.raises(ValueError, match="stopped"), following([one], lambda done, _: told.append(done)):
        raise ValueError("stopped")
    assert told == [2]
