"""The report of a made-up run: whole, offline, honest."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.report.example_run import write_run
from tinynas.errors import ModelError, StoreError
from tinynas.report.html import render, write_report
from tinynas.report.run_folder import load_run

VOID = {"meta", "br", "line", "rect", "circle", "polyline", "polygon"}


class Balanced(HTMLParser):
    """Counts tags; every one that opens must close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "demo")


@pytest.fixture(scope="module")
def page(run: Path) -> str:
    return write_report(run).read_text()


def edit_summary(run: Path, target: Path, **changes: object) -> Path:
    """A copy of `run` in `target` with another summary."""
    target.mkdir()
    for path in run.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    summary = json.loads((run / "summary.json").read_text()) | changes
    (target / "summary.json").write_text(json.dumps(summary))
    return target


def test_every_tag_that_opens_closes(page: str) -> None:
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert parser.seen["svg"] >= 7


def test_nothing_is_loaded_from_outside(page: str) -> None:
    """Opens offline: no script, no link, no address but the SVG name space."""
    assert not re.search(r"<(script|link|img|iframe)", page)
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) <= {"http://www.w3.org/2000/svg"}


def test_every_measured_candidate_and_the_chosen_net_are_drawn(run: Path, page: str) -> None:
    data = load_run(run)
    assert page.count("<title>candidate:") == len(data.candidates)
    assert page.count("<title>baseline:") == 0  # baselines go by their names
    assert all(f"<title>{net.name}:" in page for net in data.baselines)
    assert page.count("<title>chosen:") == 1


def test_marks_lie_inside_their_picture(page: str) -> None:
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        width, height = map(float, re.findall(r'viewBox="0 0 (\d+) (\d+)"', svg)[0])
        assert all(0 <= float(x) <= width for x in re.findall(r'c?x="([-\d.]+)"', svg))
        assert all(0 <= float(y) <= height for y in re.findall(r'c?y="([-\d.]+)"', svg))


def test_text_of_the_experiment_is_escaped(page: str) -> None:
    assert "&lt;a comment with &amp; and &quot;quotes&quot;&gt;" in page


def test_the_verdict_is_said_either_way(run: Path, tmp_path: Path) -> None:
    lost = render(load_run(run))
    won = {"chosen_wins": True, "text": "the chosen network beats the best baseline"}
    better = render(load_run(edit_summary(run, tmp_path / "better", verdict=won)))
    assert "<p class='verdict bad'>The chosen network does NOT beat" in lost
    assert "<p class='verdict'>The chosen network beats" in better


def test_parts_that_a_run_does_not_have_are_left_out(run: Path, tmp_path: Path) -> None:
    lean = edit_summary(run, tmp_path / "lean")
    for name in (
        "candidates.json",
        "predictor.json",
        "baselines.json",
        "profile.json",
        "model.json",
        "experiment.toml",
    ):
        (lean / name).unlink()
    assert "MobileNetV2" not in write_report(lean).read_text()


def test_a_failed_report_leaves_the_old_one(run: Path, tmp_path: Path) -> None:
    copy = edit_summary(run, tmp_path / "copy")
    (copy / "model.tflite").write_bytes(b"damaged")
    (copy / "report.html").write_text("old")
    with pytest.raises(ModelError, match=r"model\.tflite"):
        write_report(copy)
    assert (copy / "report.html").read_text() == "old"


def test_an_unfinished_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no summary\.json"):
        load_run(tmp_path)


@pytest.mark.parametrize("content", ["{", '{"board": 3}', "[]"])
def test_a_damaged_summary_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "summary.json").write_text(content)
    with pytest.raises(StoreError, match=r"summary\.json"):
        load_run(tmp_path)


def test_the_predictor_stands_beside_its_baselines_and_the_noise(page: str) -> None:
    """Fitted and held out, each in its column."""
    assert "<td>sum of block NSR</td><td>0.61</td><td>0.57</td>" in page
    assert "<td>another measurement of the same nets, expected</td><td></td><td>0.81</td>" in page


def test_cost_is_told_in_epochs_and_the_curve_drawn(run: Path, page: str, tmp_path: Path) -> None:
    assert "40 library blocks, 22 per minute: as much work as 4.2 epochs" in page
    assert "which finetuning has after 2 epochs" in page
    assert page.count("<title>finetuned, epoch") == page.count("<title>from scratch, epoch") == 3
    without = render(load_run(edit_summary(run, tmp_path / "without", library=None)))
    assert "library blocks" not in without


def test_stages_are_told_by_what_they_took_and_unknown_is_not_nothing(run: Path, tmp_path: Path) -> None:
    search = {"wall_s": 1234.5, "cpu_s": 2345.6, "device_s": 345.6, "networks": 0, "epochs": 0}
    reference = {"wall_s": 60.0, "cpu_s": None, "device_s": 0.0, "networks": 1, "epochs": 10, "epochs_equivalent": 10}
    costs = {"library": None, "reference": reference, "search": search}
    page = render(load_run(edit_summary(run, tmp_path / "costs", cost=costs)))
    assert "<td>search</td><td>1,234.5</td><td>2,345.6</td><td>345.6</td><td></td><td></td>" in page
    assert "<td>reference</td><td>60.0</td><td>unknown</td><td>0.0</td><td>1</td><td>10</td>" in page
    assert f"<td>library</td>{'<td>unknown</td>' * 5}" in page


def test_a_search_by_sums_over_blocks_says_how_far_they_are_off(run: Path, tmp_path: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    latency = {"kind": "blocks", "nets": 80, "front_mape": 0.031}
    changed = edit_summary(run, tmp_path / "blocks", search=summary["search"] | {"latency": latency})
    candidates = json.loads((run / "candidates.json").read_text())
    candidates[0]["latency_us"] = None
    (changed / "candidates.json").write_text(json.dumps(candidates))
    page = render(load_run(changed))
    assert "NSGA-II on error, latency_us; latencies summed over blocks of a table of 80 measured nets, 3.1% off" in page
    assert page.count("<title>candidate:") == len(candidates) - 1


def test_a_supernet_is_told_by_its_cost_and_how_far_its_table_is_off(run: Path, tmp_path: Path) -> None:
    """And how many networks were timed: those that were found only."""
    summary = json.loads((run / "summary.json").read_text())
    search = {"method": "evolution", "measured": 17, "latency_table": {"mape": 0.021, "nets": 24}}
    supernet = {"epochs": 58, "seconds": 3000.0, "bytes": 181_234, "subnets": 16_000_000_000}
    scores = {"accuracy_validation": 0.91, "accuracy_validation_smallest": 0.82}
    changed = edit_summary(
        run,
        tmp_path / "ofa",
        search=summary["search"] | search | {"latency_table_mape": 0.034},
        supernet=supernet | scores,
        board_s={"front": 77.7, "finetune": 0.0},
    )
    page = render(load_run(changed))
    assert "58 epochs in 50 minutes trained one supernet for every board: 1.6e+10 subnets in 181,234 bytes" in page
    assert "82.0 % (smallest) to 91.0 % (largest)" in page and "latency table and search took 78 s" in page
    assert "2.1% off on 24 networks that it was not made from, 3.4% on those found" in page
    assert "17 networks of the search were built, flashed and timed" in page
