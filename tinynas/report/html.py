"""Writes report.html of a run: one file, no network, no scripts."""

from __future__ import annotations

import datetime
import os
import platform
from html import escape
from pathlib import Path

from tinynas import __version__
from tinynas.graph.tflite_reader import read_tflite
from tinynas.lab.board import load_board
from tinynas.plan.planner import plan as make_plan
from tinynas.report import sections
from tinynas.report.run_folder import Run, load_run
from tinynas.report.style import CHART_CSS, PAGE_CSS


def write_report(run: Path) -> Path:
    """Write `run`/report.html and return its path.

    Raises:
        StoreError: the run is not finished or a file of it is damaged.
        BoardError, ModelError: its board or its model cannot be read.
    """
    page = render(load_run(run))
    path = run / "report.html"
    partial = path.with_suffix(".html.tmp")
    partial.write_text(page, encoding="utf-8")
    partial.replace(path)
    return path


def render(run: Run) -> str:
    """The whole page."""
    board = load_board(board_name(run))
    plan = make_plan(read_tflite(run.model_path), board.core)
    parts = [
        sections.header(run, board),
        sections.pareto(run, board),
        sections.predictor(run),
        sections.search(run, board),
        sections.memory(run, plan, board),
        sections.per_op(plan, run.profile),
        sections.settings(run, facts(run)),
    ]
    head = f"<title>tinynas: {escape(run.name)}</title><style>{CHART_CSS}{PAGE_CSS}</style>"
    meta = "<meta charset=utf-8><meta name=viewport content='width=device-width, initial-scale=1'>"
    return f"<!doctype html><html lang=en><head>{meta}{head}</head><body><main>{''.join(parts)}</main></body></html>"


def board_name(run: Run) -> str:
    """The board the run was made for."""
    board = run.summary.board
    return board if isinstance(board, str) else str(board["name"])


def facts(run: Run) -> dict[str, str]:
    """Versions, machine and date, as the run noted them, else as they are now."""
    return {
        "tinynas": __version__,
        "machine": f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "report written": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "run": str(run.folder),
    }
