from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.predict.kendall import kendall_tau


def tau_b_by_definition(first: list[int], second: list[int]) -> float:
    signs = [
        (np.sign(a1 - a2), np.sign(b1 - b2))
        for (a1, b1), (a2, b2) in itertools.combinations(zip(first, second, strict=True), 2)
    ]
    agreement = sum(a * b for a, b in signs)
    untied = sum(abs(a) for a, _ in signs) * sum(abs(b) for _, b in signs)
    return float(agreement / np.sqrt(untied)) if untied else 0.0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=12))
def test_agrees_with_the_definition(pairs: list[tuple[int, int]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    assert kendall_tau(first, second) == pytest.approx(tau_b_by_definition(first, second))


def test_constant_ranking_tells_nothing() -> None:
    assert kendall_tau([1, 1, 1], [1, 2, 3]) == 0.0
