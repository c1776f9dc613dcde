from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tinynas.search.pareto import Floats, hypervolume, non_dominated

grids = st.tuples(st.integers(1, 8), st.integers(1, 3)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.integers(0, 4).map(float))
)


def dominates(a: Floats, b: Floats) -> bool:
    return bool(all(x <= y for x, y in zip(a, b, strict=True)) and any(x < y for x, y in zip(a, b, strict=True)))


@given(grids)
def test_non_dominated_by_definition(points: Floats) -> None:
    expected = [not any(dominates(other, point) for other in points) for point in points]
    assert non_dominated(points).tolist() == expected


@given(grids)
@settings(max_examples=60)
def test_hypervolume_by_counting_cells(points: Floats) -> None:
    """Integer points dominate whole unit cells of the box: count them."""
    side, axes = 4, points.shape[1]
    cells = itertools.product(range(side), repeat=axes)
    dominated = sum(any(all(p <= c for p, c in zip(point, cell, strict=True)) for point in points) for cell in cells)
    assert hypervolume(points, (side,) * axes) == pytest.approx(dominated / side**axes)


def test_extremes() -> None:
    assert hypervolume(np.zeros((1, 2)), (3.0, 5.0)) == pytest.approx(1.0)
    assert hypervolume(np.array([[3.0, 0.0]]), (3.0, 5.0)) == 0.0
    assert non_dominated(np.zeros((0, 2))).tolist() == []
