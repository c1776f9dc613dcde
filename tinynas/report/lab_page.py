"""The history of a regression suite as one HTML page: every run's outcome, and how each case's figures went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from tinynas.lab.regression.attempt import Status
from tinynas.lab.regression.history import Entry
from tinynas.report.lab_trends import FIGURES, Figure, Trend, outcome_chart, sparkline, trend_chart
from tinynas.report.style import CHART_CSS, PAGE_CSS

_SHOWN = 24  # charts of what moved; the table shows all
_CSS = """
svg.spark { width: 132px; height: 30px; vertical-align: middle; }
svg .passed { fill: var(--green); } svg .failed { fill: var(--red); } svg .error { fill: var(--orange); }
svg .skipped { fill: var(--soft); fill-opacity: .45; } svg .quarantined { fill: var(--purple); }
svg .spark-line { fill: none; stroke: var(--blue); stroke-width: 1.5; }
svg .break { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3; }
.status { font-weight: 650; } .status.passed { color: var(--green); } .status.failed { color: var(--red); }
.status.error { color: var(--orange); } .up { color: var(--red); } .down { color: var(--green); }
"""


def lab_page(suite: str, entries: Sequence[Entry], last: int) -> str:
    """The page of `suite` from its entries, the oldest run first; only the `last` runs are shown."""
    runs = list(dict.fromkeys((entry.run, entry.host) for entry in entries))[-last:]
    shown = [entry for entry in entries if (entry.run, entry.host) in set(runs)]
    trends = [Trend.of(case, shown, runs) for case in dict.fromkeys(entry.case for entry in shown)]
    parts = [_header(suite, runs, shown), *_body(runs, shown, trends)] if runs else [_nothing(suite)]
    head = f"<title>tinynas lab: {escape(suite)}</title><style>{CHART_CSS}{PAGE_CSS}{_CSS}</style>"
    meta = "<meta charset=utf-8><meta name=viewport content='width=device-width, initial-scale=1'>"
    return f"<!doctype html><html lang=en><head>{meta}{head}</head><body><main>{''.join(parts)}</main></body></html>"


def _nothing(suite: str) -> str:
    return f"<h1>{escape(suite)}</h1><p>No run of this suite is in the store yet: <code>tinynas lab run</code>.</p>"


def _header(suite: str, runs: Sequence[tuple[str, str]], entries: Sequence[Entry]) -> str:
    latest = [entry for entry in entries if (entry.run, entry.host) == runs[-1]]
    tiles = [(str(len(runs)), "runs shown"), (str(len(latest)), "cases in the last one")]
    tiles += [(str(n), status.value) for status in Status if (n := sum(e.status is status for e in latest))]
    boxes = "".join(f"<div class=tile><b>{value}</b><span>{words}</span></div>" for value, words in tiles)
    bad = any(entry.status in {Status.FAILED, Status.ERROR} for entry in latest)
    verdict = "not all well" if bad else "all well"
    commit = (latest[0].git_commit or "no commit")[:12]
    where = f"{escape(latest[0].started)}, {escape(commit)}, on {escape(latest[0].host)}"
    line = f"<p class='verdict{' bad' if bad else ''}'>Last run: <b>{verdict}</b> ({where})</p>"
    return f"<h1>{escape(suite)}</h1><p class=soft>Regression history</p>{line}<div class=tiles>{boxes}</div>"


def _body(runs: Sequence[tuple[str, str]], entries: Sequence[Entry], trends: Sequence[Trend]) -> Iterator[str]:
    yield f"<h2>Outcomes</h2><figure>{outcome_chart(runs, entries)}<figcaption>Cases per run, oldest left."
    yield " Hover for run and commit.</figcaption></figure>"
    moved = [(trend, figure) for trend in trends for figure in FIGURES if trend.moved(figure)]
    yield f"<h2>What moved</h2>{_moved(moved)}"
    yield f"<h2>All cases</h2>{_table(trends)}"


def _moved(moved: Sequence[tuple[Trend, Figure]]) -> str:
    if not moved:
        return "<p>No figure of any case changed over these runs.</p>"
    charts = "".join(
        f"<figure>{trend_chart(trend, figure)}<figcaption>{escape(trend.case)}: {figure.words}</figcaption></figure>"
        for trend, figure in moved[:_SHOWN]
    )
    rest = f"<p class=soft>{len(moved) - _SHOWN} more in the table.</p>" if len(moved) > _SHOWN else ""
    note = "<p class=soft>A dashed line: another compiler or emulator from here on.</p>"
    return f"{note}<div class=two>{charts}</div>{rest}"


def _table(trends: Sequence[Trend]) -> str:
    heads = "".join(f"<th>{figure.words}</th><th></th>" for figure in FIGURES)
    rows = "".join(_row(trend) for trend in trends)
    return f"<div class=scroll><table><tr><th>case</th><th>last</th>{heads}<th>message</th></tr>{rows}</table></div>"


def _row(trend: Trend) -> str:
    last = trend.last
    status = f"<span class='status {last.status.value}'>{last.status.value}{' (flaky)' if last.flaky else ''}</span>"
    cells = "".join(f"<td>{_value(trend, figure)}</td><td>{sparkline(trend, figure)}</td>" for figure in FIGURES)
    message = escape(last.message[:160])
    return f"<tr><td>{escape(trend.case)}</td><td>{status}</td>{cells}<td class=words>{message}</td></tr>"


def _value(trend: Trend, figure: Figure) -> str:
    """The latest value and how it changed from the one before."""
    values = [value for value in trend.values(figure) if value is not None]
    if not values:
        return "–"
    now = figure.show(values[-1])
    if len(values) < 2 or values[-1] == values[-2] or not values[-2]:
        return now
    change = values[-1] / values[-2] - 1
    worse = (change > 0) != figure.more_is_better
    return f"{now} <small class={'up' if worse else 'down'}>{change:+.1%}</small>"
