"""Trainings in other processes are followed epoch by epoch, whoever starts or ends when."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.pipeline.test_jobs import job
from tinynas.pipeline.following import following, run_followed
from tinynas.pipeline.jobs import noted_epochs
from tinynas.pipeline.progress import Silent


class Told(Silent):
    """What a stage was told."""

    def __init__(self) -> None:
        self.reports: list[tuple[int, str]] = []

    def advance(self, completed: int, note: str = "") -> None:
        self.reports.append((completed, note))


@pytest.mark.parametrize("images", [50, 0])
def test_every_epoch_of_all_trainings_counts(images: int, tmp_path: Path) -> None:
    """Two trainings of three epochs, after ten that others did; judged after each of them, or not at all."""
    told, both = Told(), [job(tmp_path / name, images) for name in ("a", "b")]
    run_followed(both, 2, told, before=10)
    numbers = [done for done, _ in told.reports]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 16
    found = [accuracy for one in both for accuracy in noted_epochs(one.folder).values() if accuracy is not None]
    assert told.reports[-1][1] == (f"validation accuracy {max(found):.1%}" if images else "")


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
    one._note(2, None)
    with pytest.raises(ValueError, match="stopped"), following([one], lambda done, _: told.append(done)):
        raise ValueError("stopped")
    assert told == [2]
