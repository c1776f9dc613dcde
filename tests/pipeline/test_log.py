from __future__ import annotations

from pathlib import Path

import pytest

from tinynas.pipeline.log import LoggedProgress, RunLog, read_events
from tinynas.pipeline.progress import PlainProgress, Silent


class Clock:
    """time.monotonic that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        monkeypatch.setattr("time.monotonic", lambda: self.now_s)


def test_time_sums_over_sittings_of_equal_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, path = Clock(monkeypatch), tmp_path / "log.jsonl"
    first = LoggedProgress(Silent(), RunLog(path, "a"))
    first.begin("library", "blocks", 4)
    clock.now_s += 5
    first.advance(2)
    clock.now_s += 1000  # killed here: what the log does not tell is not counted
    second_log = RunLog(path, "a")
    second = LoggedProgress(Silent(), second_log)
    second.begin("library", "blocks", 4)
    clock.now_s += 7
    second.end()
    RunLog(path, "b").write("start")
    assert second_log.sitting == 2
    assert second_log.wall_s() == 12
    assert second_log.stage_s() == {"library": 12}


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    RunLog(path, "a").write("start")
    with path.open("a") as file:
        file.write('{"event": "prog')
    RunLog(path, "a").write("start")
    assert [event["sitting"] for event in read_events(path)] == [1, 2]


def test_every_event_of_a_stage_is_logged_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = RunLog(tmp_path / "log.jsonl", "a")
    progress = LoggedProgress(PlainProgress(), log)
    progress.begin("search", "candidates measured", 10)
    progress.advance(5, "60 per minute")
    progress.expect(12)
    progress.end("done well")
    progress.say("a line")
    assert [event["event"] for event in read_events(log.path)] == ["begin", "progress", "expect", "end", "say"]
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "search: candidates measured, 10 to do" in shown.err
    assert "done well" in shown.err


def test_plain_progress_tells_what_is_left(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    progress = PlainProgress()
    progress.begin("search", "candidates", 10)
    clock.now_s += 20
    progress.advance(5, "60 per minute")
    assert "search: 5/10 candidates, about 20 s left, 60 per minute" in capsys.readouterr().err


def test_plain_progress_reckons_with_the_work_that_turned_out_to_be_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    progress = PlainProgress()
    progress.begin("finetune", "networks", 3)
    progress.expect(8)
    clock.now_s += 20
    progress.advance(4)
    assert "finetune: 4/8 networks, about 20 s left" in capsys.readouterr().err
