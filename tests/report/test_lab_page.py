from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.lab.regression.samples import GCC, attempt, case_result, run_result
from tinynas.lab.regression.attempt import Status
from tinynas.lab.regression.baseline import Toolchain
from tinynas.lab.regression.history import Entry, History
from tinynas.lab.regression.result import RunResult
from tinynas.report.lab_page import lab_page

NEWER = Toolchain(compiler="gcc 13", emulator="7.2")


def entries(folder: Path, *results: RunResult) -> list[Entry]:
    history = History(str(folder / "db"))
    for result in results:
        history.add(result)
    return history.entries("s")


def charts(page: str) -> list[ET.Element]:
    return [ET.fromstring(found) for found in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


def test_every_run_has_a_bar_and_what_moved_has_a_chart(tmp_path: Path) -> None:
    days = [run_result(f"2026010{day}T000000", latency_us=5.0 + (day == 3)) for day in (1, 2, 3)]
    page = lab_page("s", entries(tmp_path, *days), 100)
    outcome, moved, *_ = charts(page)
    assert len([rect for rect in outcome.iter() if rect.get("class") == "passed"]) == 3
    assert moved.get("aria-label") == "m@b/engine: latency, ms"
    assert len([dot for dot in moved.iter() if dot.tag.endswith("circle")]) == 3
    assert "+20.0%" in page
    assert page.count("peak SRAM, KiB</figcaption>") == 0, "it did not move"


def test_another_toolchain_is_marked_where_it_comes_in(tmp_path: Path) -> None:
    changed = case_result(latency_us=4.0, toolchain=NEWER)
    page = lab_page("s", entries(tmp_path, run_result(), run_result("20260102T000000", changed)), 100)
    assert [line for chart in charts(page) for line in chart.iter() if line.get("class") == "break"]
    assert changed.toolchain != GCC


def test_the_last_runs_trouble_stands_at_the_top_and_text_from_boards_is_no_markup(tmp_path: Path) -> None:
    bad = case_result(attempt(status=Status.FAILED, message="<script>alert(1)</script>"))
    page = lab_page("s", entries(tmp_path, run_result(), run_result("20260102T000000", bad)), 100)
    assert "not all well" in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page


def test_only_the_last_runs_are_shown(tmp_path: Path) -> None:
    page = lab_page("s", entries(tmp_path, *(run_result(f"2026010{day}T000000") for day in range(1, 6))), 2)
    assert "2026-01-05" in page
    assert "2026-01-03" not in page


def test_an_empty_history_says_what_to_do() -> None:
    assert "tinynas lab run" in lab_page("s", [], 100)


def test_the_page_opens_offline(tmp_path: Path) -> None:
    page = lab_page("s", entries(tmp_path, run_result()), 100)
    assert not re.findall(r"(?:src|href)=", page)
    assert not re.findall(r"https?://(?!www\.w3\.org)", page)
