"""The tables show our figures, the recorded ones as ratios, and what was left out."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from rich.console import Console

from bench import tables
from bench.measuring import BoardResult, Row, find_models
from bench.recorded import baselines
from bench.tables import HEADERS, markdown, rows, terminal_table
from bench.twins import TWINS
from tinynas.errors import ModelError
from tinynas.lab.board import load_board
from tinynas.lab.measure import Measurement

VWW = Measurement(
    model="vww", sha256="", board="qemu-mps2-an386", runtime="engine", engine_version="0", toolchain="gcc",
    clock_hz=25_000_000, instructions=12_050_000, est_cycles=15_165_000, latency_us=1.0, latency_kind="virtual",
    repeats=1, peak_sram_bytes=52_200, runner_sram_bytes=1, arena_bytes=50_000, flash_bytes=197_282, macs=7_489_664,
    bit_exact=True, output_sha256="", serial_log=None,
)  # fmt: skip


def result(**changes: object) -> BoardResult:
    rows = {"vww": Row(VWW, 20, 20), "unheard-of": Row(VWW.model_copy(update=changes), 20, 19)}
    return BoardResult(load_board("qemu-mps2-an386"), rows, {"big": "does not fit"})


def test_recorded_figures_are_divided_by_ours() -> None:
    cells = dict(zip(HEADERS, next(rows(result())), strict=True))
    assert cells["instructions"].text == "12,050,000"
    for header in ("instructions", "est. cycles", "SRAM B", "flash B"):
        assert cells[header].ratios.startswith("TFLM 2.00x, TE ")
    assert (cells["i/MAC"].text, cells["x floor"].text, cells["bit-exact"].text) == ("1.61", "1.16", "20 of 20")


def test_a_model_without_recorded_figures_has_no_ratios() -> None:
    cells = list(rows(result(est_cycles=None)))[1]
    assert not any(cell.ratios for cell in cells)
    assert cells[-1].text == "19 of 20"
    assert cells[HEADERS.index("est. cycles")].text == "-"


def test_tables_render() -> None:
    out = io.StringIO()
    Console(file=out, width=150).print(terminal_table(result()))
    assert "12,050,000" in out.getvalue() and "TFLM 2.00x" in out.getvalue()
    text = markdown([result()])
    assert "| vww | 12,050,000 (TFLM 2.00x, TE 1.64x) | 1.61 |" in text
    assert "big: left out: does not fit" in text


def test_every_recorded_figure_belongs_to_a_known_model_and_a_better_one_is_possible() -> None:
    for engine in baselines().figures:
        for field in ("instructions", "est_cycles", "sram_bytes", "flash_bytes"):
            assert set(getattr(engine, field)) <= set(TWINS)
        assert set(engine.instructions) == set(engine.est_cycles)
        for name, count in engine.instructions.items():
            floor = baselines().floor(engine.core, name)
            assert floor is not None and count > floor


def test_known_models_are_found_by_their_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("zoo", "other", "vww"):
        (tmp_path / f"{name}.tflite").write_bytes(name.encode())
    known = baselines().models["ad"].model_copy(update={"sha256": hashlib.sha256(b"zoo").hexdigest()})
    changed = baselines().model_copy(update={"models": {**baselines().models, "ad": known}})
    monkeypatch.setattr("bench.measuring.baselines", lambda: changed)
    assert find_models(tmp_path) == {"ad": b"zoo", "other": b"other", "vww.tflite": b"vww"}  # not the recorded vww


def test_a_folder_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no \.tflite file in it"):
        find_models(tmp_path)


def test_the_readme_names_every_model_s_digest() -> None:
    text = (Path(tables.__file__).parent / "README.md").read_text()
    assert all(model.sha256 in text and model.file in text for model in baselines().models.values())
