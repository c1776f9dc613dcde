"""Charts of a regression suite's history, as SVG."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tinynas.lab.regression.attempt import Status
from tinynas.lab.regression.history import Entry
from tinynas.report.svg import Axis, Frame, circle, line, picture, polyline, rect
from tinynas.report.tables import percent

_SPARK = (132.0, 30.0)  # width, height


@dataclass(frozen=True)
class Figure:
    """A figure that is followed from run to run."""

    words: str  # with unit
    value: Callable[[Entry], float | None]
    show: Callable[[float], str]
    more_is_better: bool = False


def _latency_ms(entry: Entry) -> float | None:
    return entry.metrics.latency_us / 1000 if entry.metrics else None


def _sram_kib(entry: Entry) -> float | None:
    return entry.metrics.peak_sram_bytes / 1024 if entry.metrics else None


def _flash_kib(entry: Entry) -> float | None:
    return entry.metrics.flash_bytes / 1024 if entry.metrics and entry.metrics.flash_bytes is not None else None


def _accuracy(entry: Entry) -> float | None:
    return entry.metrics.accuracy if entry.metrics else None


FIGURES = (
    Figure("latency, ms", _latency_ms, lambda value: f"{value:,.3f}"),
    Figure("peak SRAM, KiB", _sram_kib, lambda value: f"{value:,.1f}"),
    Figure("flash, KiB", _flash_kib, lambda value: f"{value:,.1f}"),
    Figure("accuracy", _accuracy, percent, more_is_better=True),
)


@dataclass(frozen=True)
class Trend:
    """One case over the runs; None where it was not part of a run."""

    case: str
    entries: tuple[Entry | None, ...]

    @classmethod
    def of(cls, case: str, entries: Sequence[Entry], runs: Sequence[tuple[str, str]]) -> Trend:
        """The case's entries in the order of `runs` (run, host)."""
        by_run = {(entry.run, entry.host): entry for entry in entries if entry.case == case}
        return cls(case, tuple(by_run.get(run) for run in runs))

    @property
    def last(self) -> Entry:
        return next(entry for entry in reversed(self.entries) if entry is not None)

    def values(self, figure: Figure) -> list[float | None]:
        """One per run."""
        return [None if entry is None else figure.value(entry) for entry in self.entries]

    def moved(self, figure: Figure) -> bool:
        """Whether the figure was not the same every time."""
        return len({value for value in self.values(figure) if value is not None}) > 1

    @property
    def toolchain_changes(self) -> list[int]:
        """Runs whose toolchain is another than that of the run before with one."""
        known = [(at, entry.toolchain) for at, entry in enumerate(self.entries) if entry and entry.toolchain]
        return [at for (_, before), (at, now) in pairwise(known) if before != now]


def outcome_chart(
    runs: Sequence[tuple[str, str]], entries: Sequence[Entry], width: float = 1000, height: float = 240
) -> str:
    """Stacked bars: how the cases of each run ended."""
    by_run = {run: [entry for entry in entries if (entry.run, entry.host) == run] for run in runs}
    most = max(len(found) for found in by_run.values())
    frame = Frame(Axis("run", 0, len(runs), whole=True), Axis("cases", 0, most, whole=True), width, height)
    wide = (width - frame.left - frame.right) / len(runs)
    marks = frame.axes()
    for at, found in enumerate(by_run.values()):
        counts, base = Counter(entry.status for entry in found), 0
        commit = (found[0].git_commit or "no commit")[:12]
        for status in Status:
            if n := counts[status]:
                top, bottom = frame.py(base + n), frame.py(base)
                tip = f"{n} {status.value}; {found[0].started}, {commit}"
                x = frame.px(at) + wide * 0.1
                marks.append(rect(x, top, wide * 0.8, bottom - top, status.value, tip))
                base += n
    return picture(width, height, marks, "Outcomes per run")


def trend_chart(trend: Trend, figure: Figure, width: float = 520, height: float = 260) -> str:
    """One figure of one case over the runs; dots by outcome."""
    values = trend.values(figure)
    known = [value for value in values if value is not None]
    x = Axis("run", 0, max(len(values) - 1, 1), whole=True)
    frame = Frame(x, Axis.around(figure.words, known), width, height, left=84)
    top, bottom = frame.top, frame.height - frame.bottom
    marks = frame.axes()
    marks += [line(frame.px(at - 0.5), top, frame.px(at - 0.5), bottom, "break") for at in trend.toolchain_changes]
    points = [(frame.px(at), frame.py(value)) for at, value in enumerate(values) if value is not None]
    marks.append(polyline(points, "spark-line"))
    marks += [
        _dot(at, value, entry, figure, frame)
        for at, (value, entry) in enumerate(zip(values, trend.entries, strict=True))
        if value is not None and entry
    ]
    return picture(width, height, marks, f"{trend.case}: {figure.words}")


def _dot(at: int, value: float, entry: Entry, figure: Figure, frame: Frame) -> str:
    tip = f"{figure.show(value)}, {entry.status.value}; {entry.started}, {(entry.git_commit or 'no commit')[:12]}"
    return circle(frame.px(at), frame.py(value), 4, entry.status.value, tip)


def sparkline(trend: Trend, figure: Figure) -> str:
    """The same without axes, for a cell of a table; a flat line in the middle where nothing changed."""
    values = trend.values(figure)
    known = [value for value in values if value is not None]
    if not known:
        return ""
    width, height = _SPARK
    low, high = min(known), max(known)
    span = high - low or 1.0
    step = (width - 8) / max(len(values) - 1, 1)

    def place(at: int, value: float) -> tuple[float, float]:
        share = (value - low) / span if high > low else 0.5
        return 4 + at * step, height - 5 - share * (height - 10)

    points = [place(at, value) for at, value in enumerate(values) if value is not None]
    x, y = points[-1]
    dot = circle(x, y, 3, trend.last.status.value)
    return picture(width, height, [polyline(points, "spark-line"), dot], figure.words).replace(
        "<svg ", '<svg class="spark" '
    )
