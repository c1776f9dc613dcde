"""A few SVG marks and a plot frame, as strings: charts stay sharp, offline, and take their colours from CSS."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

Anchor = Literal["start", "middle", "end"]


def rect(x: float, y: float, width: float, height: float, css: str, tip: str = "") -> str:
    """A rectangle; `tip` shows when the mouse rests on it."""
    box = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.0):.1f}" height="{max(height, 0.0):.1f}"'
    return f'<rect {box} class="{css}">{_title(tip)}</rect>'


def circle(x: float, y: float, radius: float, css: str, tip: str = "") -> str:
    """A dot around (x, y)."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" class="{css}">{_title(tip)}</circle>'


def diamond(x: float, y: float, radius: float, css: str, tip: str = "") -> str:
    """A square on its corner around (x, y): a second shape, so that series differ by more than colour."""
    corners = [(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)]
    return f'<polygon points="{_points(corners)}" class="{css}">{_title(tip)}</polygon>'


def square(x: float, y: float, radius: float, css: str, tip: str = "") -> str:
    """A square of side 2 * `radius` around (x, y)."""
    return rect(x - radius, y - radius, 2 * radius, 2 * radius, css, tip)


def star(x: float, y: float, radius: float, css: str, tip: str = "") -> str:
    """A five-pointed star around (x, y)."""
    corners = []
    for i in range(10):
        reach, angle = (radius if i % 2 == 0 else radius * 0.45), math.pi * (i / 5 - 0.5)
        corners.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    return f'<polygon points="{_points(corners)}" class="{css}">{_title(tip)}</polygon>'


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """A straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def polyline(points: Iterable[tuple[float, float]], css: str) -> str:
    """A line through `points`."""
    return f'<polyline points="{_points(points)}" class="{css}"/>'


def text(x: float, y: float, words: str, css: str = "label", anchor: Anchor = "start") -> str:
    """Words whose baseline is at y."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{css}" text-anchor="{anchor}">{escape(words)}</text>'


def picture(width: float, height: float, marks: Iterable[str], title: str) -> str:
    """An `<svg>` element that scales with the page; `title` is what a screen reader says."""
    head = f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(title)}"'
    return f'{head} xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(marks) + "\n</svg>"


def _title(tip: str) -> str:
    return f"<title>{escape(tip)}</title>" if tip else ""


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


@dataclass(frozen=True)
class Axis:
    """One axis of a plot: its words (with unit), its limits, linear or logarithmic."""

    label: str
    low: float
    high: float
    log: bool = False
    whole: bool = False  # counts: ticks at integers only

    @staticmethod
    def around(label: str, values: Sequence[float], log: bool = False, margin: float = 0.06) -> Axis:
        """Limits that leave `margin` of the span free on both sides of the finite `values`."""
        low, high = min(values), max(values)
        if log:
            pad = (high / low) ** margin if high > low else 1.5
            return Axis(label, low / pad, high * pad, log)
        pad = (high - low) * margin if high > low else abs(high) * 0.1 or 0.5
        return Axis(label, low - pad, high + pad)

    def fraction(self, value: float) -> float:
        """0 at the low end, 1 at the high end."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self, wanted: int = 6) -> list[float]:
        """Round values within the limits: about `wanted` of them."""
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            marks = [m * 10.0**d for d in decades for m in (1, 2, 5)]
            return [t for t in marks if self.low <= t <= self.high]
        step = self._step(wanted)
        first = math.ceil(self.low / step - 1e-9)
        return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def words(self, tick: float) -> str:
        """A tick's label; all of a linear axis have the same number of decimals."""
        if self.log:
            return f"{tick:,g}"
        decimals = next(d for d in range(12) if math.isclose(self._step() * 10**d, round(self._step() * 10**d)))
        return f"{tick:,.{decimals}f}"

    def _step(self, wanted: int = 6) -> float:
        """The distance between the ticks of a linear axis."""
        step = _round_step((self.high - self.low) / wanted)
        return math.ceil(step) if self.whole else step


def _round_step(rough: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is at least `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * (1 - 1e-9))


@dataclass(frozen=True)
class Frame:
    """The plotting area inside a picture, in user units; y grows upwards in data, downwards in SVG."""

    x: Axis
    y: Axis
    width: float = 640
    height: float = 400
    left: float = 70
    right: float = 16
    top: float = 16
    bottom: float = 56

    def px(self, value: float) -> float:
        return self.left + self.x.fraction(value) * (self.width - self.left - self.right)

    def py(self, value: float) -> float:
        return self.height - self.bottom - self.y.fraction(value) * (self.height - self.top - self.bottom)

    def axes(self) -> list[str]:
        """Grid lines, tick labels and axis labels; draw these first."""
        x0, x1 = self.left, self.width - self.right
        y0, y1 = self.height - self.bottom, self.top
        marks = []
        for tick in self.x.ticks():
            marks += [line(self.px(tick), y0, self.px(tick), y1, "grid")]
            marks += [text(self.px(tick), y0 + 18, self.x.words(tick), "tick", "middle")]
        for tick in self.y.ticks():
            marks += [line(x0, self.py(tick), x1, self.py(tick), "grid")]
            marks += [text(x0 - 8, self.py(tick) + 4, self.y.words(tick), "tick", "end")]
        marks += [line(x0, y0, x1, y0, "axis"), line(x0, y0, x0, y1, "axis")]
        return [*marks, *self._labels((x0 + x1) / 2, (y0 + y1) / 2, y0 + 42)]

    def _labels(self, x: float, y: float, below: float) -> list[str]:
        turned = f'<g transform="translate(16 {y:.1f}) rotate(-90)">{text(0, 0, self.y.label, "label", "middle")}</g>'
        return [text(x, below, self.x.label, "label", "middle"), turned]
