"""Axes: round ticks inside the limits, and pixels that follow the data."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from tinynas.report.svg import Axis, Frame, text

positive = st.floats(1e-6, 1e9, allow_nan=False)


@given(st.lists(positive, min_size=1, max_size=20), st.booleans())
def test_limits_hold_all_values_and_some_ticks(values: list[float], log: bool) -> None:
    axis = Axis.around("x", values, log)
    assert all(0 <= axis.fraction(value) <= 1 for value in values)
    slack = 1e-6 * (axis.high - axis.low)
    assert all(axis.low - slack <= tick <= axis.high + slack for tick in axis.ticks())
    if not log:
        assert 3 <= len(axis.ticks()) <= 8


@given(positive, st.floats(1.01, 1e4))
def test_labels_of_ticks_are_distinct(low: float, ratio: float) -> None:
    axis = Axis("x", low, low * ratio)
    words = [axis.words(tick) for tick in axis.ticks()]
    assert len(set(words)) == len(words)


def test_labels_of_one_axis_have_the_same_decimals() -> None:
    axis = Axis("accuracy", 0.61, 0.86)
    assert [axis.words(tick) for tick in axis.ticks()] == ["0.65", "0.70", "0.75", "0.80", "0.85"]


def test_y_grows_upwards() -> None:
    frame = Frame(Axis("x", 0, 1), Axis("y", 0, 1))
    assert frame.px(1) > frame.px(0)
    assert frame.py(1) < frame.py(0)
    assert math.isclose(frame.py(0), frame.height - frame.bottom)


def test_words_are_escaped() -> None:
    assert "a &lt; b" in text(0, 0, "a < b")
