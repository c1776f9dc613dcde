"""space.html of `tinynas space`: one file, no network, no scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from tinynas.report.space_charts import SPACE_CSS, cdf_chart, survivor_map
from tinynas.report.style import CHART_CSS, PAGE_CSS
from tinynas.space.choose import SURVIVOR_FLOOR, SpaceStatistics


@dataclass(frozen=True)
class Trial:
    """Which spaces were compared, and on what."""

    name: str  # of the experiment
    board: str
    limits: str  # memory that networks had to fit, in words
    ranking: tuple[SpaceStatistics, ...]  # best first
    kept: tuple[int, ...]  # resolutions
    wall_s: float


def write_space_page(trial: Trial, path: Path) -> None:
    """Write the page to `path`."""
    partial = path.with_suffix(".tmp")
    partial.write_text(render(trial), encoding="utf-8")
    partial.replace(path)


def render(trial: Trial) -> str:
    """The whole page."""
    head = f"<title>tinynas space: {escape(trial.name)}</title><style>{CHART_CSS}{PAGE_CSS}{SPACE_CSS}</style>"
    meta = "<meta charset=utf-8><meta name=viewport content='width=device-width, initial-scale=1'>"
    body = "".join((_header(trial), _curves(trial), _map(trial), _table(trial.ranking)))
    return f"<!doctype html><html lang=en><head>{meta}{head}</head><body><main>{body}</main></body></html>"


def _header(trial: Trial) -> str:
    best, samples = trial.ranking[0], sum(statistics.samples for statistics in trial.ranking)
    kept = ", ".join(map(str, trial.kept))
    return (
        f"<h1>{escape(trial.name)}: {len(trial.ranking)} spaces on {escape(trial.board)}</h1>"
        f"<p class=soft>{samples:,} networks planned exactly in {trial.wall_s:.0f} s; they had to fit "
        f"{escape(trial.limits)}.</p>"
        f"<p class=verdict>Recommended: width <b>{best.width:g}</b> at <b>{kept} px</b>. Of the networks of width "
        f"{best.width:g} at {best.resolution} px that fit, the mean has <b>{best.mean_macs / 1e6:.1f} M MACs</b>, and "
        f"a fifth has more than {best.top20_macs / 1e6:.1f} M.</p>"
    )


def _curves(trial: Trial) -> str:
    words = (
        "Networks of a space that fit the board, by their MACs. The further right a curve, the more its networks "
        "compute: more capacity in the same memory (MCUNet, arXiv 2007.10319, section 3.1)."
    )
    return f"<h2>MACs of what fits</h2><p class=soft>{words}</p><figure>{cdf_chart(trial.ranking)}</figure>"


def _map(trial: Trial) -> str:
    words = (
        f"Share of each space's networks that fit, and their mean MACs. Where less than {SURVIVOR_FLOOR:.0%} survive "
        "(no colour), the mean is noise: such spaces rank last. The best one is framed."
    )
    return f"<h2>How many fit</h2><p class=soft>{words}</p><figure>{survivor_map(trial.ranking)}</figure>"


def _table(ranking: Sequence[SpaceStatistics]) -> str:
    head = "<tr><th>rank</th><th>resolution</th><th>width</th><th>fit</th><th>mean MACs</th><th>top 20 %</th></tr>"
    rows = "".join(_row(place, statistics) for place, statistics in enumerate(ranking, 1))
    return f"<h2>Ranking</h2><div class=scroll><table>{head}{rows}</table></div>"


def _row(place: int, statistics: SpaceStatistics) -> str:
    macs = (f"{value / 1e6:.2f} M" if value else "–" for value in (statistics.mean_macs, statistics.top20_macs))
    share = f"{statistics.survivor_fraction:.1%}" + ("" if statistics.trusted else " (too few)")
    cells = (str(place), f"{statistics.resolution} px", f"{statistics.width:g}", share, *macs)
    css = " class=chosen" if place == 1 else ""
    return f"<tr{css}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
