from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.regression.samples import attempt, run_result
from tinynas.errors import StoreError
from tinynas.lab.regression.result import Surroundings
from tinynas.lab.regression.run_folder import last_results, open_run, read_results, run_key

ABOUT = run_result().surroundings


def path(root: Path, key: str = "k", about: Surroundings = ABOUT, *, fresh: bool = False) -> Path:
    """Where a run with these inputs goes."""
    with open_run(root, key, about, fresh=fresh) as folder:
        return folder.path


def test_the_same_inputs_continue_an_unfinished_run_and_no_other(tmp_path: Path) -> None:
    with open_run(tmp_path, "k", ABOUT) as first:
        first.add(attempt())
    with open_run(tmp_path, "k", ABOUT) as again:
        assert again.attempts == [attempt()]
    assert path(tmp_path, "other") != first.path
    assert path(tmp_path, about=ABOUT.model_copy(update={"git_commit": "beef"})) != first.path
    assert path(tmp_path) == first.path
    first.finish(run_result())
    unfinished = path(tmp_path)
    assert unfinished != first.path
    assert path(tmp_path, fresh=True) != unfinished


def test_what_still_runs_is_not_continued_by_another_process(tmp_path: Path) -> None:
    with open_run(tmp_path, "k", ABOUT) as first:
        assert path(tmp_path) != first.path


def test_an_attempt_that_was_cut_off_by_a_crash_is_none(tmp_path: Path) -> None:
    folder = open_run(tmp_path, "k", ABOUT)
    folder.add(attempt(1))
    with (folder.path / "attempts.jsonl").open("a") as file:
        file.write('{"case": "m@b')
    assert [found.number for found in folder.attempts] == [1]
    folder.add(attempt(2))
    assert [found.number for found in folder.attempts] == [1, 2]


def test_time_of_all_sittings_adds_up(tmp_path: Path) -> None:
    folder = open_run(tmp_path, "k", ABOUT)
    assert folder.seconds == 0.0
    folder.add_seconds(1.5)
    folder.add_seconds(2.0)
    folder.close()
    assert open_run(tmp_path, "k", ABOUT).seconds == 3.5


def test_results_come_back_whole_and_the_last_run_is_found(tmp_path: Path) -> None:
    for latency_us in (5.0, 6.0):
        with open_run(tmp_path, "k", ABOUT) as folder:
            folder.finish(run_result(latency_us=latency_us))
    assert read_results(last_results(tmp_path)) == run_result(latency_us=6.0)


def test_what_is_no_finished_run_is_refused_with_the_next_step(tmp_path: Path) -> None:
    folder = open_run(tmp_path, "k", ABOUT)
    with pytest.raises(StoreError, match="finish the run"):
        read_results(folder.path)
    with pytest.raises(StoreError, match="no finished run"):
        last_results(tmp_path)
    (folder.path / "results.json").write_text("{}")
    with pytest.raises(StoreError, match="not the results"):
        read_results(folder.path)


def test_a_key_tells_where_a_part_ends() -> None:
    assert run_key("ab", "c") != run_key("a", "bc")
