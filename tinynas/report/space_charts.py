"""What a choice of resolution and width looks at: the CDFs of the survivors' MACs, and how many survive where."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tinynas.report.svg import Axis, Frame, line, picture, polyline, rect, text
from tinynas.space.choose import SURVIVOR_FLOOR, SpaceStatistics

MOST_POINTS = 60  # of a curve
NAMED = 5  # curves of the best spaces that have a colour and a name
TOP = 0.8  # a fifth of the networks lie beyond
_SHADES = 10

SPACE_CSS = """
svg .cdf { fill: none; stroke: var(--soft); stroke-opacity: .28; stroke-width: 1; }
svg .cdf-0 { fill: none; stroke: var(--red); stroke-width: 2.6; }
svg .cdf-1 { fill: none; stroke: var(--blue); stroke-width: 1.8; }
svg .cdf-2 { fill: none; stroke: var(--orange); stroke-width: 1.8; stroke-dasharray: 8 3; }
svg .cdf-3 { fill: none; stroke: var(--green); stroke-width: 1.8; stroke-dasharray: 3 3; }
svg .cdf-4 { fill: none; stroke: var(--purple); stroke-width: 1.8; stroke-dasharray: 10 3 2 3; }
svg .kept { fill: none; stroke: var(--red); stroke-width: 2.6; }
svg .none { fill: var(--wash); }
""" + "".join(
    f"svg .heat-{k} {{ fill: var(--blue); fill-opacity: {0.06 + 0.9 * k / _SHADES:.2f}; }}\n"
    for k in range(_SHADES + 1)
)


def cdf_chart(ranking: Sequence[SpaceStatistics], width: float = 1000, height: float = 480) -> str:
    """Share of the surviving networks that have at most so many MACs, one curve per resolution and width.

    The best curve lies furthest to the right; all that have no name are grey.
    """
    shown = [statistics for statistics in ranking if statistics.survivors]
    most = max(statistics.macs[-1] for statistics in shown) / 1e6
    frame = Frame(Axis("MACs of a network that fits, millions", 0, most * 1.02), Axis("share of the networks", 0, 1))
    frame = Frame(frame.x, frame.y, width, height)
    marks = [*frame.axes(), *_top_line(frame)]
    curves = list(enumerate(shown))
    marks += [_curve(statistics, frame, place) for place, statistics in reversed(curves)]  # the best one on top
    marks += _names(shown[:NAMED], frame)
    return picture(width, height, marks, "MACs of the networks that fit, by resolution and width")


def _top_line(frame: Frame) -> list[str]:
    y = frame.py(TOP)
    words = "a fifth of the networks has more MACs"
    return [line(frame.left, y, frame.width - frame.right, y, "dash"), text(frame.left + 8, y - 6, words, "note")]


def _curve(statistics: SpaceStatistics, frame: Frame, place: int) -> str:
    """Steps are drawn as a line through some of the points."""
    count = len(statistics.macs)
    picked = sorted({round(k * (count - 1) / (MOST_POINTS - 1)) for k in range(MOST_POINTS)})
    points = [(frame.px(statistics.macs[k] / 1e6), frame.py((k + 1) / count)) for k in picked]
    first = (frame.px(statistics.macs[0] / 1e6), frame.py(0))
    css = f"cdf-{place}" if place < NAMED and statistics.trusted else "cdf"
    return f"<g><title>{escape(_words(statistics))}</title>{polyline([first, *points], css)}</g>"


def _names(best: Sequence[SpaceStatistics], frame: Frame) -> list[str]:
    """The named curves' legend, in the lower right where all curves have passed."""
    marks = []
    for place, statistics in enumerate(statistics for statistics in best if statistics.trusted):
        y = frame.height - frame.bottom - 20 * (NAMED - place) + 4
        x = frame.width - frame.right - 330
        marks += [polyline([(x, y), (x + 34, y)], f"cdf-{place}"), text(x + 42, y + 4, _short(statistics), "label")]
    return marks


def _short(statistics: SpaceStatistics) -> str:
    mean = f"{statistics.mean_macs / 1e6:.1f} M MACs on average"
    return f"{statistics.resolution} px, width {statistics.width:g}: {mean}"


def _words(statistics: SpaceStatistics) -> str:
    return (
        f"{_short(statistics)}, a fifth has more than {statistics.top20_macs / 1e6:.1f} M; "
        f"{statistics.survivors} of {statistics.samples} fit"
    )


def survivor_map(ranking: Sequence[SpaceStatistics], width: float = 1000) -> str:
    """Resolution by width: the darker, the more networks fit; in a cell the share, and their mean MACs in millions."""
    resolutions, widths = (sorted({getattr(s, name) for s in ranking}) for name in ("resolution", "width"))
    cells = {(s.resolution, s.width): s for s in ranking}
    left, top, tall = 70.0, 14.0, 40.0
    wide = min((width - left - 16) / len(widths), 130.0)
    bottom = top + tall * len(resolutions)
    marks = []
    for row, resolution in enumerate(reversed(resolutions)):
        y = top + tall * row
        marks.append(text(left - 10, y + tall / 2 + 4, f"{resolution} px", "tick", "end"))
        for column, factor in enumerate(widths):
            marks += _cell(cells[resolution, factor], left + wide * column, y, wide, tall)
    for column, factor in enumerate(widths):
        marks.append(text(left + wide * (column + 0.5), bottom + 18, f"{factor:g}", "tick", "middle"))
    marks.append(text(left + wide * len(widths) / 2, bottom + 40, "width", "label", "middle"))
    best = ranking[0]
    x, y = left + wide * widths.index(best.width), bottom - tall * (resolutions.index(best.resolution) + 1)
    marks.append(rect(x + 1, y + 1, wide - 2, tall - 2, "kept"))
    return picture(left + wide * len(widths) + 16, bottom + 52, marks, "Share of the networks that fit")


def _cell(statistics: SpaceStatistics, x: float, y: float, wide: float, tall: float) -> list[str]:
    share = statistics.survivor_fraction
    css = f"heat-{round(share * _SHADES)}" if statistics.trusted else "none"
    ink = "on-fill" if statistics.trusted and share > 0.55 else "on-pale"
    marks = [rect(x + 1, y + 1, wide - 2, tall - 2, css, _words(statistics))]
    marks.append(text(x + wide / 2, y + tall / 2 + (-3 if statistics.survivors else 4), _percent(share), ink, "middle"))
    if statistics.survivors:
        marks.append(text(x + wide / 2, y + tall / 2 + 12, f"{statistics.mean_macs / 1e6:.1f} M", ink, "middle"))
    return marks


def _percent(share: float) -> str:
    return f"{share:.1%}" if 0 < share < SURVIVOR_FLOOR else f"{share:.0%}"
