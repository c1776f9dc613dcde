"""One picture of a run, for a README: Pareto plot and the chosen net's memory over time, as a stand-alone SVG.

python -m tinynas.report.picture runs/demo docs/demo.svg
"""

from __future__ import annotations

import sys
from pathlib import Path

from tinynas.graph.tflite_reader import read_tflite
from tinynas.plan.planner import plan as make_plan
from tinynas.report.charts import pareto_chart
from tinynas.report.memory_chart import memory_chart
from tinynas.report.run_folder import Run, load_run
from tinynas.report.style import CHART_CSS
from tinynas.report.svg import text

WIDTH, HEIGHT, MARGIN, HEAD = 1320, 560, 20, 44  # user units
PARETO_SHARE = 0.54  # of the width between the margins


def write_picture(run: Path, target: Path) -> None:
    """Draw the finished run in the folder `run` into `target`.

    Raises:
        StoreError, ModelError: the run is not finished, or a file of it is damaged.
    """
    target.write_text(draw(load_run(run)), encoding="utf-8")


def draw(run: Run) -> str:
    """The SVG."""
    inner = WIDTH - 3 * MARGIN
    left, tall = inner * PARETO_SHARE, HEIGHT - HEAD - MARGIN
    right, right_x = inner - left, 2 * MARGIN + left
    board = run.summary.board_facts
    plan = make_plan(read_tflite(run.model_path), board.core)
    parts = [
        text(MARGIN, 30, f"{run.summary.dataset} on {board.name}: every dot was built, flashed and timed", "strong"),
        _placed(pareto_chart(run, f"latency ({board.kind})", left, tall), MARGIN, left, tall),
        text(right_x, 30, "memory of the chosen network while its ops run", "strong"),
        _placed(memory_chart(plan, right, tall), right_x, right, tall),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
    card = f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="12" class="card"/>'
    return "\n".join([head, f"<style>{CHART_CSS}</style>", card, *parts, "</svg>\n"])


def _placed(svg: str, x: float, width: float, height: float) -> str:
    """A chart as a part of the picture."""
    return svg.replace("<svg ", f'<svg x="{x:.0f}" y="{HEAD}" width="{width:.0f}" height="{height:.0f}" ', 1)


if __name__ == "__main__":
    write_picture(Path(sys.argv[1]), Path(sys.argv[2]))
