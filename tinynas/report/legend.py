"""What the marks of a chart mean, in one row below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinynas.report.svg import Frame, text

Mark = Callable[[float, float, float, str, str], str]  # x, y, radius, CSS class, tip
CHAR_WIDTH = 6.0  # of a note, user units, on average


@dataclass(frozen=True)
class LegendEntry:
    """A sample of a series' mark and its meaning."""

    mark: Mark
    css: str
    words: str


def legend(entries: Sequence[LegendEntry], frame: Frame) -> list[str]:
    """One row at the bottom of the frame, which must leave room for it (bottom=84)."""
    marks, x, y = [], frame.left, frame.height - 10
    for entry in entries:
        marks += [entry.mark(x + 6, y - 4, 6, entry.css, ""), text(x + 18, y, entry.words, "note")]
        x += 18 + CHAR_WIDTH * len(entry.words) + 22
    return marks
