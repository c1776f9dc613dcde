"""Commands on a small model: right figures, one JSON object, exit status that scripts can use."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import Result, Tinynas
from tests.cli.models import float_model, int8_model, small_spec
from tests.report.example_run import write_run
from tinynas.lab.board import known_boards

BOARD = "qemu-stm32f405"
TIME_FIELDS = {
    "model", "sha256", "board", "runtime", "engine_version", "toolchain", "clock_hz", "instructions", "est_cycles",
    "latency_us", "latency_kind", "repeats", "peak_sram_bytes", "runner_sram_bytes", "arena_bytes", "flash_bytes",
    "macs", "bit_exact", "output_sha256", "serial_log", "warmups", "spread", "celsius",
}  # fmt: skip


def parsed(result: Result) -> Any:
    assert result.status in (0, 1), result.err
    return json.loads(result.out)


def small_board(folder: Path, sram_bytes: int) -> Path:
    """The default board with less SRAM."""
    text = known_boards()[BOARD].read_text()
    lines = ["size_bytes = " + str(sram_bytes) if "size_bytes" in line else line for line in text.splitlines()]
    text = text.replace("131_072", str(sram_bytes)).replace("131072", str(sram_bytes))
    assert str(sram_bytes) in text, lines
    path = folder / "small.toml"
    path.write_text(text)
    return path


def test_boards_lists_every_board_file(tinynas: Tinynas) -> None:
    assert {board["name"] for board in parsed(tinynas("boards", "--json"))} == set(known_boards())
    table = tinynas("boards").out
    assert all(name in table for name in known_boards())


def test_fit_accounts_for_every_byte(tinynas: Tinynas, models: Path) -> None:
    found = parsed(tinynas("fit", models / "good.tflite", "--board", BOARD, "--json"))
    parts = ("arena_bytes", "stack_bytes", "statics_bytes", "runner_sram_bytes")
    assert found["sram_bytes"] == sum(found[part] for part in parts)
    assert found["fits"] and found["overflow_bytes"] == 0


def test_fit_draws_the_map(tinynas: Tinynas, models: Path) -> None:
    result = tinynas("fit", models / "good.tflite", "--board", BOARD)
    assert result.status == 0
    assert all(word in result.out for word in ("arena", "stack", "free", "weights", "kernels", "runner", "peak at"))


def test_fit_gives_the_overflow_and_status_1(tinynas: Tinynas, models: Path, tmp_path: Path) -> None:
    board = small_board(tmp_path, 6144)
    words = tinynas("fit", models / "good.tflite", "--board", board)
    found = parsed(tinynas("fit", models / "good.tflite", "--board", board, "--json"))
    assert words.status == 1
    assert found["overflow_bytes"] == found["sram_bytes"] - 6144 > 0
    assert f"does not fit: {found['overflow_bytes']:,} B" in words.out


def test_time_does_not_build_what_does_not_fit(tinynas: Tinynas, models: Path, tmp_path: Path) -> None:
    result = tinynas("time", models / "good.tflite", "--board", small_board(tmp_path, 6144))
    assert result.status == 2
    assert "too many" in result.err


@pytest.mark.parametrize("board", [BOARD, "host"])
def test_time_prints_the_documented_object(tinynas: Tinynas, models: Path, board: str) -> None:
    model = models / "good.tflite"
    found = parsed(tinynas("time", model, "--board", board, "--json"))
    assert set(found) == TIME_FIELDS
    assert found["bit_exact"] is True
    assert found["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert Path(found["serial_log"]).is_file()
    assert found["latency_kind"] == ("virtual" if board == BOARD else "host")
    if board == BOARD:
        assert found["latency_us"] == pytest.approx(found["instructions"] / found["clock_hz"] * 1e6)
    else:
        not_of_the_host = ("instructions", "est_cycles", "clock_hz", "flash_bytes")
        assert [found[field] for field in not_of_the_host] == [None] * len(not_of_the_host)


def test_time_in_words(tinynas: Tinynas, models: Path) -> None:
    words = tinynas("time", models / "good.tflite", "--board", BOARD).out
    assert "instructions / clock" in words
    assert "the same bytes as the TFLite Micro interpreter's" in words


def test_tflm_and_engine_give_the_same_bytes_on_the_host(tinynas: Tinynas, models: Path) -> None:
    engine, tflm = (
        parsed(tinynas("time", models / "good.tflite", "--board", "host", "--runtime", runtime, "--json"))
        for runtime in ("engine", "tflm")
    )
    assert engine["output_sha256"] == tflm["output_sha256"]
    assert tflm["bit_exact"] is True
    assert tflm["serial_log"] is None
    assert tflm["arena_bytes"] > engine["arena_bytes"]
    assert set(tflm) == TIME_FIELDS


def test_flash_says_what_runs(tinynas: Tinynas, models: Path) -> None:
    model = models / "good.tflite"
    result = tinynas("flash", model, "--board", BOARD)
    assert result.status == 0
    assert hashlib.sha256(model.read_bytes()).hexdigest()[:12] in result.out


@pytest.mark.parametrize("board", [BOARD, "host"])
def test_profile_checks_every_op(tinynas: Tinynas, models: Path, board: str) -> None:
    found = parsed(tinynas("profile", models / "good.tflite", "--board", board, "--check", "--json"))
    with_code = [op for op in found["ops"] if op["kernel"] is not None]
    assert {op["kind"] for op in found["ops"]} - {op["kind"] for op in with_code} == {"RESHAPE"}
    assert [op["op"] for op in found["parity"]] == [op["index"] for op in with_code]
    assert found["first_difference"] is None
    assert found["macs"] == sum(op["macs"] for op in found["ops"])
    if board == BOARD:
        assert all(op["instructions"] > 0 for op in with_code)


def test_profile_sums_to_the_timed_inference(tinynas: Tinynas, models: Path) -> None:
    """Marks cost something; the ops' own instructions are those of the whole inference, to a few per op."""
    model = models / "good.tflite"
    ops = parsed(tinynas("profile", model, "--board", BOARD, "--json"))["ops"]
    whole = parsed(tinynas("time", model, "--board", BOARD, "--json"))["instructions"]
    assert sum(op["instructions"] or 0 for op in ops) == pytest.approx(whole, rel=0.01)


def test_profile_names_the_first_op_that_differs(
    tinynas: Tinynas, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tinynas.cli import parity

    honest = parity.interpreter_values

    def wrong(graph: Any) -> dict[int, Any]:
        """As if the interpreter computed ops 3 and later otherwise."""
        return {k: v if k < graph.ops[3].outputs[0] else v ^ np.int8(1) for k, v in honest(graph).items()}

    monkeypatch.setattr(parity, "interpreter_values", wrong)
    result = tinynas("profile", models / "good.tflite", "--board", "host", "--check")
    assert result.status == 1
    assert "first difference: op 3 (CONV_2D)" in result.out


def test_eval_on_host_and_board_agree(tinynas: Tinynas, tmp_path: Path) -> None:
    """Digits have ten classes; the board must give the interpreter's outputs image by image."""
    model = tmp_path / "digits.tflite"
    model.write_bytes(int8_model(small_spec(16, 1, 10)))
    on_host = parsed(tinynas("eval", model, "--data", "digits", "--limit", "40", "--json"))
    on_board = parsed(tinynas("eval", model, "--data", "digits", "--limit", "40", "--board", BOARD, "--json"))
    assert on_host["images"] == on_board["images"] == on_board["images_identical_to_host"] == 40
    assert on_host["accuracy"] == on_board["accuracy"]
    assert on_host["images_identical_to_host"] is None


def test_convert_float_to_int8(tinynas: Tinynas, tmp_path: Path) -> None:
    source, target = tmp_path / "float.tflite", tmp_path / "int8.tflite"
    source.write_bytes(float_model())
    assert tinynas("convert", source, "-o", target).status == 2
    assert not target.exists()
    assert tinynas("convert", source, "-o", target, "--data", "digits", "--samples", "32").status == 0
    assert parsed(tinynas("time", target, "--board", "host", "--json"))["bit_exact"]


def test_convert_leaves_int8_as_it_is(tinynas: Tinynas, models: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.tflite"
    assert tinynas("convert", models / "good.tflite", "-o", target).status == 0
    assert target.read_bytes() == (models / "good.tflite").read_bytes()


def test_report_prints_the_front_and_writes_the_page(tinynas: Tinynas, tmp_path: Path) -> None:
    run = write_run(tmp_path / "demo")
    result = tinynas("report", run)
    assert result.status == 0
    assert "chosen" in result.out
    assert (run / "report.html").is_file()
    assert tinynas("report", tmp_path).status == 2


def test_run_passes_settings_on_and_prints_the_front(
    tinynas: Tinynas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def pipeline(
        path: Path, overrides: list[str], progress: object, *, measurements: str | None, port: str | None
    ) -> Path:
        assert port is None
        seen.append((path, overrides, measurements))
        return write_run(tmp_path / "runs" / "demo")

    monkeypatch.setattr("tinynas.pipeline.run.run_experiment", pipeline)
    monkeypatch.setenv("TINYNAS_MEASUREMENTS", "sqlite:///lab.db")
    result = tinynas("run", "my.toml", "--set", "board=host", "--set", "seed=3")
    assert result.status == 0, result.err
    assert seen == [(Path("my.toml"), ["board=host", "seed=3"], "sqlite:///lab.db")]
    assert "Pareto front of demo" in result.out
    assert "report.html" in result.out


def test_profile_estimates_cycles_by_function(tinynas: Tinynas, models: Path) -> None:
    """Of the image that `time` measures: both give the same total."""
    model = models / "good.tflite"
    found = parsed(tinynas("profile", model, "--board", BOARD, "--cycles", "--json"))
    timed = parsed(tinynas("time", model, "--board", BOARD, "--json"))
    assert sum(row["est_cycles"] for row in found["functions"]) == found["est_cycles"]
    assert sum(row["instructions"] for row in found["functions"]) == timed["instructions"]
    assert found["est_cycles"] == timed["est_cycles"]
