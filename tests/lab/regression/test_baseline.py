from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.regression.samples import GCC, case_result, metrics, run_result
from tinynas.errors import ConfigError
from tinynas.lab.regression.attempt import Metrics, Status
from tinynas.lab.regression.baseline import EXACT, Baseline, Record, Toolchain, Verdict, tolerance_of
from tinynas.lab.regression.suite import Tolerance
from tinynas.lab.regression.updating import records_of

CASE = "m@b/engine"


def baseline(found: Metrics, toolchain: Toolchain = GCC) -> Baseline:
    return Baseline().with_records([(CASE, Record(toolchain=toolchain, metrics=found, commit=None, date="d"))])


@given(before=st.integers(1, 10**9), now=st.integers(1, 10**9), tolerance=st.floats(0, 0.5))
def test_a_figure_is_a_regression_exactly_if_it_grew_by_more_than_is_allowed(
    before: int, now: int, tolerance: float
) -> None:
    found = baseline(metrics(peak_sram_bytes=before)).compare(
        CASE, GCC, metrics(peak_sram_bytes=now), Tolerance(sram=tolerance)
    )
    assert bool(found.regressions) == (now - before > tolerance * before)


@pytest.mark.parametrize("metric", ["latency_us", "instructions", "peak_sram_bytes", "flash_bytes"])
@pytest.mark.parametrize(("by", "verdict"), [(-1, Verdict.BETTER), (0, Verdict.SAME), (1, Verdict.WORSE)])
def test_virtual_boards_are_held_to_the_exact_count(metric: str, by: int, verdict: Verdict) -> None:
    before = metrics()
    now = before.model_copy(update={metric: getattr(before, metric) + by})
    found = baseline(before).compare(CASE, GCC, now, EXACT)
    assert {figure.metric: figure.verdict for figure in found.figures}[metric] is verdict
    assert len(found.regressions) == (by > 0)
    if by > 0:
        assert metric in str(found.regressions[0])


def test_other_outputs_are_a_regression_whatever_is_allowed() -> None:
    everything = Tolerance(latency=9, sram=9, flash=9, accuracy=1)
    found = baseline(metrics()).compare(CASE, GCC, metrics(output_sha256="cd" * 32), everything)
    assert [figure.metric for figure in found.regressions] == ["output_sha256"]


@pytest.mark.parametrize(("accuracy", "worse"), [(0.90, False), (0.895, False), (0.88, True), (0.95, False)])
def test_accuracy_may_fall_by_so_much_and_rise_at_will(accuracy: float, worse: bool) -> None:
    before, now = metrics(accuracy=0.9, images=100), metrics(accuracy=accuracy, images=100)
    assert bool(baseline(before).compare(CASE, GCC, now, Tolerance(accuracy=0.01)).regressions) == worse


def test_accuracies_of_different_images_are_not_compared() -> None:
    before, now = metrics(accuracy=0.9, images=100), metrics(accuracy=0.1, images=50)
    assert not baseline(before).compare(CASE, GCC, now, EXACT).regressions


@pytest.mark.parametrize(
    "other", [Toolchain(compiler="gcc 13", emulator="7.2"), Toolchain(compiler="gcc 12.2", emulator="8.0")]
)
def test_another_compiler_or_emulator_is_reported_and_only_results_are_compared(other: Toolchain) -> None:
    held = baseline(metrics())
    same = held.compare(CASE, other, metrics(99.0, instructions=5), EXACT)
    assert not same.regressions
    assert "changed toolchain" in same.note
    assert str(GCC) in same.note
    assert held.compare(CASE, other, metrics(output_sha256="cd" * 32), EXACT).regressions


def test_an_unknown_case_says_so() -> None:
    assert Baseline().compare(CASE, GCC, metrics(), EXACT).note == "no baseline yet"


def test_a_file_holds_a_record_per_toolchain_and_comes_back(tmp_path: Path) -> None:
    newer = Toolchain(compiler="gcc 13", emulator="7.2")
    path = tmp_path / "baseline.json"
    both = baseline(metrics()).with_records(
        [(CASE, Record(toolchain=newer, metrics=metrics(4.0), commit="c", date="d"))]
    )
    both.write(path)
    assert Baseline.read(path) == both
    updated = both.with_records([(CASE, Record(toolchain=GCC, metrics=metrics(6.0), commit="c", date="d"))])
    assert {str(r.toolchain): r.metrics.latency_us for r in updated.cases[CASE]} == {str(GCC): 6.0, str(newer): 4.0}
    text = path.read_text()
    both.write(path)
    assert path.read_text() == text


def test_no_file_is_an_empty_baseline_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    assert Baseline.read(tmp_path / "none.json") == Baseline()
    (tmp_path / "bad.json").write_text('{"cases": 3}')
    with pytest.raises(ConfigError, match=r"bad\.json: not a baseline"):
        Baseline.read(tmp_path / "bad.json")


def test_only_cases_that_were_measured_bit_for_bit_become_the_baseline() -> None:
    good = case_result(case="good@b/engine")
    worse = case_result(case="worse@b/engine", status=Status.FAILED)  # measured, but above the old baseline
    wrong = case_result(case="wrong@b/engine", metrics=metrics(bit_exact=False))
    lost = case_result(case="lost@b/engine", status=Status.ERROR)
    skipped = case_result(case="skipped@b/engine", status=Status.SKIPPED, metrics=None)
    result = run_result("20260101T000000", good, worse, wrong, lost, skipped)
    assert [case for case, _ in records_of(result, ["*"])] == ["good@b/engine", "worse@b/engine"]
    assert [case for case, _ in records_of(result, ["g*"])] == ["good@b/engine"]
    with pytest.raises(ConfigError, match="nothing to take over"):
        records_of(result, ["lost*"])


def test_each_kind_of_board_is_held_to_what_it_can_repeat() -> None:
    wanted = Tolerance(latency=0.05, flash=0.1)
    assert tolerance_of("hardware", wanted) == wanted
    assert tolerance_of("virtual", wanted) == EXACT
    slow = baseline(metrics(5.0)).compare(CASE, GCC, metrics(50.0), tolerance_of("host", wanted))
    assert not slow.regressions
    big = baseline(metrics()).compare(CASE, GCC, metrics(flash_bytes=9999), tolerance_of("host", wanted))
    assert big.regressions
