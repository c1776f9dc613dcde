"""What the marks of a chart mean, in rows below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tinynas.report.svg import Frame, text

Mark = Callable[[float, float, float, str, str], str]  # x, y, radius, CSS class, tip
CHAR_WIDTH = 6.0  # of a note, user units, on average
BELOW_AXIS, ROW_HEIGHT = 70, 18  # user units


@dataclass(frozen=True)
class LegendEntry:
    """A sample of a series' mark and its meaning."""

    mark: Mark
    css: str
    words: str


def legend(entries: Sequence[LegendEntry], frame: Frame) -> list[str]:
    """Rows under the axis label; `frame` comes from `with_legend`."""
    marks, rows = [], _rows(entries, frame)
    for number, row in enumerate(rows):
        x, y = frame.left, frame.height - frame.bottom + BELOW_AXIS + number * ROW_HEIGHT
        for entry in row:
            marks += [entry.mark(x + 6, y - 4, 6, entry.css, ""), text(x + 18, y, entry.words, "note")]
            x += _width(entry)
    return marks


def with_legend(frame: Frame, entries: Sequence[LegendEntry]) -> Frame:
    """The frame with room below the plot for ticks, the axis label and the legend."""
    return replace(frame, bottom=BELOW_AXIS + ROW_HEIGHT * (len(_rows(entries, frame)) - 1) + 10)


def _rows(entries: Sequence[LegendEntry], frame: Frame) -> list[list[LegendEntry]]:
    """Entries in rows no wider than the plot."""
    rows: list[list[LegendEntry]] = [[]]
    for entry in entries:
        if rows[-1] and sum(map(_width, [*rows[-1], entry])) > frame.width - frame.left:
            rows.append([])
        rows[-1].append(entry)
    return rows


def _width(entry: LegendEntry) -> float:
    return 18 + CHAR_WIDTH * len(entry.words) + 22
