from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.search_efficiency import _compared

_BOX = 0.42 * 210
points = st.lists(st.tuples(st.floats(0.1, 0.5), st.floats(1000, 9000)), min_size=3, max_size=8)


def trial(method: str, found: list[tuple[float, float]]) -> dict[str, Any]:
    errors, latencies = zip(*found, strict=True)
    return {
        "method": method,
        "seed": 0,
        "error_validation": list(errors),
        "error_test": list(errors),
        "latency_us": list(latencies),
    }


@given(points)
def test_methods_that_found_the_same_are_equally_good(found: list[tuple[float, float]]) -> None:
    result = _compared([trial(method, found) for method in ("donna", "random", "aging")])
    assert result["donna_to"]["validation"] == pytest.approx({"random": 1.0, "aging": 1.0})
    assert result["donna_to"]["test"] == pytest.approx({"random": 1.0, "aging": 1.0})


@given(points)
def test_a_network_more_never_takes_hypervolume_away(found: list[tuple[float, float]]) -> None:
    rows = [trial("donna", found), trial("random", found[::-1])]
    _compared(rows)
    for row in rows:
        assert (np.diff(row["hypervolume_validation"]) >= 0).all()
    assert rows[0]["hypervolume_validation"][-1] == pytest.approx(rows[1]["hypervolume_validation"][-1])


@given(points)
def test_better_networks_have_the_larger_hypervolume(found: list[tuple[float, float]]) -> None:
    better = [(error * 0.9, latency * 0.9) for error, latency in found]
    ratios = _compared([trial("donna", better), trial("random", found), trial("aging", found)])["donna_to"]
    assert ratios["validation"]["random"] > 1
    assert ratios["test"]["aging"] > 1


def test_hypervolumes_by_hand() -> None:
    """Corner 5 % beyond (0.4, 200): (0.42, 210); shares of what lies between it and the origin."""
    rows = [trial("donna", [(0.4, 100), (0.2, 200)]), trial("random", [(0.4, 200)])]
    _compared(rows)
    assert rows[0]["hypervolume_validation"] == pytest.approx([0.02 * 110 / _BOX, (0.02 * 110 + 0.2 * 10) / _BOX])
    assert rows[1]["hypervolume_test"] == pytest.approx(0.02 * 10 / _BOX)


def test_test_errors_count_for_the_front_of_validation_only() -> None:
    """The second network is dominated on validation; that it is good on test must not help."""
    row, rival = trial("donna", [(0.2, 100), (0.3, 150)]), trial("random", [(0.4, 200)])
    row["error_test"] = [0.25, 0.1]
    _compared([row, rival])
    assert row["hypervolume_test"] == pytest.approx((0.42 - 0.25) * 110 / _BOX)
