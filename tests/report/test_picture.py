"""The README's picture is one stand-alone SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from tests.report.example_run import write_run
from tinynas.report.picture import write_picture


def test_the_picture_is_well_formed_and_holds_both_charts(tmp_path: Path) -> None:
    target = tmp_path / "demo.svg"
    write_picture(write_run(tmp_path / "demo"), target)
    root = ET.parse(target).getroot()
    charts = root.findall("{http://www.w3.org/2000/svg}svg")
    assert [chart.get("aria-label") for chart in charts] == ["Accuracy against latency", "Arena over time"]
    assert "http" not in target.read_text().replace("http://www.w3.org/2000/svg", "")


def test_the_same_run_gives_the_same_picture(tmp_path: Path) -> None:
    run = write_run(tmp_path / "demo")
    for name in ("a.svg", "b.svg"):
        write_picture(run, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
