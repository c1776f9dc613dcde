"""Orders by MACs against orders by latency."""

from __future__ import annotations

import pytest

from experiments.hardware_in_the_loop import compare


def row(macs: int, latency_us: float) -> dict[str, float]:
    return {"macs": macs, "params": 1.0, "latency_us": latency_us}


def test_latency_in_proportion_to_macs_leaves_nothing_to_measure() -> None:
    found = compare([row(n * 1000, n * 10.0) for n in range(1, 30)])
    assert found["kendall_tau_macs"] == pytest.approx(1)
    assert found["pairs_ordered_wrongly_by_macs"] == 0
    assert found["mape_of_line_through_macs"] == pytest.approx(0, abs=1e-9)
    assert found["latency_per_mmac_us"]["min"] == pytest.approx(found["latency_per_mmac_us"]["max"])


def test_each_exchanged_pair_is_counted() -> None:
    found = compare([row(1, 10), row(2, 30), row(3, 20), row(4, 40)])
    assert found["pairs_ordered_wrongly_by_macs"] == pytest.approx(1 / 6)
    assert found["kendall_tau_macs"] == pytest.approx(4 / 6)


def test_a_network_that_is_slower_than_its_macs_breaks_a_limit() -> None:
    rows = [row(n * 100, n * 10.0) for n in range(1, 20)]
    rows[9] = row(1000, 150.0)  # the line says 100 us
    broken = [limit for limit in compare(rows)["limits"] if not limit["keeps_limit"]]
    assert [limit["picked_latency_us"] for limit in broken] == [150.0]
    assert broken[0]["limit_us"] < 150
