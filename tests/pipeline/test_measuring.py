from __future__ import annotations

from pathlib import Path

from tinynas.pipeline.measuring import RateLog


def test_the_rate_counts_new_measurements_over_the_time_of_their_batches(tmp_path: Path) -> None:
    log = RateLog(tmp_path / "rate.jsonl")
    assert log.per_minute() is None
    for new, seconds in ((1, 2.0), (2, 3.0), (3, 4.0)):
        log.note("first", new, seconds)
    log.note("second", 1, 2.0)
    assert log.per_minute() == 60 * 4 / 6.0


def test_the_rate_survives_a_torn_line(tmp_path: Path) -> None:
    log = RateLog(tmp_path / "rate.jsonl")
    log.note("first", 2, 4.0)
    with log.path.open("a") as file:
        file.write('{"batch": "fir')
    assert log.per_minute() == 30.0
