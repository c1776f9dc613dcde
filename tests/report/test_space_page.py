"""The page of `tinynas space`: well-formed, every space on it, the curves where their figures say."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from tinynas.report.space_charts import cdf_chart, survivor_map
from tinynas.report.space_page import Trial, render, write_space_page
from tinynas.space.choose import SpaceStatistics

SVG = "{http://www.w3.org/2000/svg}"


def statistics(resolution: int, width: float, survivors: int) -> SpaceStatistics:
    rng = np.random.default_rng(resolution)
    macs = np.sort(rng.integers(1, 1_000 * resolution, size=survivors))
    mean, top = (float(macs.mean()), float(np.quantile(macs, 0.8))) if survivors else (0.0, 0.0)
    return SpaceStatistics(resolution, width, 200, survivors, mean, top, tuple(macs.tolist()))


RANKING = tuple(statistics(r, w, n) for r, w, n in ((96, 0.5, 150), (64, 0.5, 200), (96, 1.0, 3), (64, 1.0, 0)))
TRIAL = Trial("a & b", "toy", "36,864 B of SRAM", RANKING, (96,), 1.5)


def test_every_space_with_survivors_has_a_curve_and_every_space_a_cell() -> None:
    curves = ElementTree.fromstring(cdf_chart(RANKING)).findall(f"{SVG}g[{SVG}polyline]")
    assert len(curves) == 3
    assert {curve.findtext(f"{SVG}title", "").split(":")[0] for curve in curves} == {
        "96 px, width 0.5",
        "64 px, width 0.5",
        "96 px, width 1",
    }
    cells = [
        rect
        for rect in ElementTree.fromstring(survivor_map(RANKING)).iter(f"{SVG}rect")
        if rect.find(f"{SVG}title") is not None
    ]
    assert [cell.get("class") for cell in cells] == ["heat-8", "none", "heat-10", "none"]  # rows: 96, then 64 pixels


def test_a_curve_ends_at_its_largest_network() -> None:
    best = ElementTree.fromstring(cdf_chart(RANKING)).findall(f"{SVG}g/{SVG}polyline")[-1]
    assert best.get("class") == "cdf-0"
    points = [tuple(map(float, point.split(","))) for point in best.get("points", "").split()]
    assert points == sorted(points, key=lambda point: (point[0], -point[1]))
    others = [max(s.macs) for s in RANKING if s.macs]
    share = (points[-1][0] - 70) / (1000 - 16 - 70)  # of the axis, which is as long as the largest network of all
    assert abs(share - max(RANKING[0].macs) / (1.02 * max(others))) < 0.01


def test_the_page_names_what_is_recommended(tmp_path: Path) -> None:
    write_space_page(TRIAL, tmp_path / "space.html")
    page = (tmp_path / "space.html").read_text()
    assert page == render(TRIAL)
    assert "a &amp; b: 4 spaces on toy" in page and "<b>0.5</b> at <b>96 px</b>" in page
    assert page.count("<tr") == 1 + len(RANKING) and "too few" in page
