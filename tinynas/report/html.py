"""Writes report.html of a run: one file, no network, no scripts."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import os
import platform
from collections.abc import Iterator
from html import escape
from pathlib import Path

from tinynas import __version__
from tinynas.graph.tflite_reader import read_tflite
from tinynas.plan.planner import plan as make_plan
from tinynas.report import sections
from tinynas.report.cost_section import cost
from tinynas.report.run_folder import Run, load_run
from tinynas.report.style import CHART_CSS, PAGE_CSS

PACKAGES = ("numpy", "torch", "pymoo", "tflite-micro", "ai-edge-litert")


def write_report(run: Path) -> Path:
    """Write `run`/report.html and return its path.

    Raises:
        StoreError: the run is not finished or a file of it is damaged.
        ModelError: its model cannot be read.
    """
    page = render(load_run(run))
    path = run / "report.html"
    partial = path.with_suffix(".html.tmp")
    partial.write_text(page, encoding="utf-8")
    partial.replace(path)
    return path


def render(run: Run) -> str:
    """The whole page."""
    board = run.summary.board_facts
    plan = make_plan(read_tflite(run.model_path), board.core)
    parts = [
        sections.header(run, board),
        sections.pareto(run, board),
        sections.predictor(run),
        sections.search(run, board),
        cost(run),
        sections.memory(run, plan, board),
        sections.per_op(plan, run.profile),
        sections.settings(run, facts(run)),
    ]
    head = f"<title>tinynas: {escape(run.name)}</title><style>{CHART_CSS}{PAGE_CSS}</style>"
    meta = "<meta charset=utf-8><meta name=viewport content='width=device-width, initial-scale=1'>"
    return f"<!doctype html><html lang=en><head>{meta}{head}</head><body><main>{''.join(parts)}</main></body></html>"


def facts(run: Run) -> dict[str, str]:
    """What the result came from: data, model, firmware, versions, machine and date."""
    data, firmware = (run.about_model.get(part, {}) for part in ("data", "firmware"))
    images = ", ".join(f"{count} {name}" for name, count in data.get("split", {}).items())
    stages = ", ".join(f"{name} {spent_s:.0f} s" for name, spent_s in run.summary.seconds.items())
    return {
        "data": f"{run.summary.dataset}: {images}; sha256 {data.get('sha256', '–')}",
        "model": f"{run.model_path.name}, sha256 {run.about_model.get('sha256', '–')}",
        "firmware": f"{firmware.get('toolchain', '–')}, sha256 {firmware.get('sha256', '–')}",
        "time": f"{run.summary.wall_s / 60:.1f} minutes in all sittings: {stages}",
        "versions": ", ".join(versions()),
        "machine": f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "report written": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def versions() -> Iterator[str]:
    """tinynas and the packages that a result may depend on."""
    yield f"tinynas {__version__}"
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            yield f"{package} {importlib.metadata.version(package)}"
