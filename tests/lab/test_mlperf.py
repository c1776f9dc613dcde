"""MLPerf Tiny's passes on a virtual board, and the files they leave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.lab.nets import SIDE, small_net
from tinynas.errors import DataError, LinkError
from tinynas.graph.tflm import TflmInterpreter
from tinynas.lab import mlperf_files
from tinynas.lab.board import load_board
from tinynas.lab.measure import build_model, flash
from tinynas.lab.mlperf import Accuracy, Performance, Sample, Window, accuracy, performance
from tinynas.lab.mlperf_files import SessionFolder, accuracy_text, performance_text
from tinynas.lab.replies import Laps
from tinynas.lab.session import BoardSession, open_board

MODEL = small_net(seed=5)
WINDOW_S = 0.05


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardSession]:
    folder = tmp_path_factory.mktemp("mlperf")
    target = load_board("qemu-stm32f405")
    with open_board(target, log=folder / "log") as session:
        flash(session, build_model(MODEL, target, folder, called="vww01"))
        yield session


def samples(count: int) -> list[Sample]:
    rng = np.random.default_rng(3)
    data = rng.integers(-128, 128, (count, SIDE, SIDE, 1), np.int8)
    return [Sample(f"{k}.bin", 2, int(rng.integers(2)), image) for k, image in enumerate(data)]


def window(results: tuple[float, ...], label: int, elapsed_us: int = 1, iterations: int = 1) -> Window:
    sample = Sample("x.bin", len(results), label, np.zeros(1, np.int8))
    return Window(sample, iterations, 0, Laps(7, 7 + elapsed_us, results))


def interpreter_results(data: list[Sample]) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """The TFLite Micro interpreter's, as reals: softmax has scale 1/256 and zero point -128."""
    with TflmInterpreter(MODEL) as interpreter:
        return [(interpreter.run([sample.data[np.newaxis]])[0].ravel() + 128.0) / 256 for sample in data]


def test_windows_are_long_enough_and_count_exactly(board: BoardSession) -> None:
    data = samples(6)
    found = performance(board, data, WINDOW_S)
    exact_us = board.time(1).latency_us
    assert [w.sample.file for w in found.windows] == [f"{k}.bin" for k in range(5)]
    for each, wanted in zip(found.windows, interpreter_results(data), strict=False):
        assert each.elapsed_us >= WINDOW_S * 1e6
        assert each.iterations >= 10
        assert exact_us <= each.elapsed_us / each.iterations <= 1.01 * exact_us
        np.testing.assert_allclose(each.laps.results, wanted, atol=0.00051)
    assert found.latency_us == pytest.approx(exact_us, rel=0.01)
    assert not found.by_the_rules


def test_every_sample_is_classified_as_the_interpreter_does(board: BoardSession) -> None:
    data = samples(12)
    found = accuracy(board, data)
    wanted = interpreter_results(data)
    for each, reals in zip(found.windows, wanted, strict=True):
        np.testing.assert_allclose(each.laps.results, reals, atol=0.00051)
    correct = [reals.argmax() == sample.label for reals, sample in zip(wanted, data, strict=True)]
    assert found.top1 == np.mean(correct)


def test_a_fresh_board_infers_without_warm_ups(tmp_path: Path) -> None:
    """Nothing has painted the stack by then."""
    target = load_board("qemu-stm32f405")
    with open_board(target, log=tmp_path / "log") as session:
        flash(session, build_model(MODEL, target, tmp_path))
        assert session.infer_many(1).end_us > 0


def test_the_runner_tells_the_benchmark_s_name(board: BoardSession) -> None:
    assert board.attach().model == "vww01"


def test_too_few_inputs_are_refused(board: BoardSession) -> None:
    with pytest.raises(DataError, match="wants 5 inputs, the data has 4"):
        performance(board, samples(4))
    with pytest.raises(DataError, match="at least one input"):
        accuracy(board, [])


def test_a_clock_that_stands_still_is_told(board: BoardSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoardSession, "infer_many", lambda self, iterations, warmups=0: Laps(5, 5, (0.5, 0.5)))
    with pytest.raises(LinkError, match="does its clock run"):
        performance(board, samples(5), WINDOW_S)


def test_auc_is_the_chance_that_a_positive_scores_above_a_negative() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 8, 60) / 8, rng.integers(0, 2, 60)
    found = Accuracy(tuple(window((1 - s, s), int(k)) for s, k in zip(scores, labels, strict=True)))
    pairs = [1.0 if p > n else 0.5 if p == n else 0.0 for p in scores[labels == 1] for n in scores[labels == 0]]
    assert found.auc == pytest.approx(np.mean(pairs))


def test_auc_needs_samples_of_every_class() -> None:
    assert Accuracy((window((0.1, 0.9), 1),)).auc is None


@pytest.mark.parametrize(("count", "elapsed_s", "iterations", "good"), [
    (5, 10.0, 10, True), (4, 10.0, 10, False), (5, 9.99, 10, False), (5, 10.0, 9, False),
])  # fmt: skip
def test_the_rules(count: int, elapsed_s: float, iterations: int, good: bool) -> None:
    windows = tuple(window((0.5, 0.5), 0, int(elapsed_s * 1e6), iterations) for _ in range(count))
    assert Performance(windows, 10.0).by_the_rules is good


def test_the_median_window_counts() -> None:
    windows = tuple(window((0.5, 0.5), 0, us, 10) for us in (100, 200, 300, 400, 50_000))
    assert Performance(windows, 0.0).latency_us == pytest.approx(30)


def test_files_have_the_keys_of_the_benchmark_s_runner(tmp_path: Path) -> None:
    """As in the sessions that are kept in the benchmark's repository."""
    windows = [window((0.25, 0.75), 1, 2_000_000, 20)]
    folder = SessionFolder(tmp_path)
    folder.finish(windows, performance_text(Performance(tuple(windows), 1.0), "the board's clock"), timed=True)
    assert {path.name for path in folder.path.iterdir()} == {"log.txt", "results.txt", "results.json"}
    (entry,) = json.loads((folder.path / "results.json").read_text())
    assert entry["class"] == "1" and entry["classes"] == "2" and entry["file"] == "x.bin"
    assert entry["infer"] == {
        **{"results": [0.25, 0.75], "start_time": 7, "end_time": 2_000_007, "elapsed_time": 2_000_000},
        **{"total_inferences": 1, "iterations": 20, "warmups": 0, "throughput": 10.0},
    }
    text = (folder.path / "results.txt").read_text()
    assert "Median throughput is     10.000 inf./sec." in text
    assert all(line in (folder.path / "log.txt").read_text() for line in text.splitlines())


def test_accuracy_in_words() -> None:
    assert (
        accuracy_text(Accuracy((window((0.1, 0.9), 1), window((0.2, 0.8), 0))))
        == "Files: 2\nTop-1: 50.0%\nAUC: 1.000\n"
    )


def test_two_sessions_of_one_second_do_not_share_a_folder(tmp_path: Path) -> None:
    assert SessionFolder(tmp_path).path != SessionFolder(tmp_path).path
    assert mlperf_files.SessionFolder(tmp_path / "new").path.parent.name == "sessions"
