"""Sums over targets: what each was the first to need, and what is a product."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.cost_figures import REST, figures


def stage(cpu_s: float | None, epochs: float = 0.0, equivalent: float | None = None) -> dict[str, Any]:
    figure = {"wall_s": 2.0, "cpu_s": cpu_s, "device_s": 1.0, "attempts": 1, "networks": 1}
    return figure | {"epochs": epochs, "epochs_equivalent": equivalent}


def row(board: str, stages: dict[str, Any], new: list[str], cpu_s: float, quantile: float | None = None) -> Any:
    return {"board": board, "quantile": quantile, "stages": stages, "new": new, "wall_s": 50.0, "cpu_s": cpu_s}


ONCE = {"reference": stage(100.0, 16.0, 16.0), "library": stage(30.0, 66.0, 4.9)}
ROWS = [
    row("a", ONCE | {"search": stage(20.0)}, ["reference", "library", "search"], 155.0),
    row("b", ONCE | {"search": stage(30.0)}, ["search"], 34.0),
    row("c", ONCE | {"search": stage(50.0)}, ["search"], 52.0),
    row("a", ONCE | {"search": stage(10.0)}, ["search"], 11.0, 0.5),
]


def cpu_of(found: dict[str, Any], count: int) -> dict[str, Any]:
    return next(one for one in found["for_targets"] if one["targets"] == count)


def test_phases_of_the_first_board_of_further_boards_and_of_limits() -> None:
    found = figures(ROWS, [1])
    assert {name: one["cpu_s"] for name, one in found["phases"]["first"].items()} == {
        "reference": 100.0,
        "library": 30.0,
        "search": 20.0,
        REST: 5.0,
    }
    assert found["phases"]["further_board"]["search"]["cpu_s"] == 40.0
    assert found["phases"]["further_board"][REST]["cpu_s"] == 3.0
    assert found["phases"]["further_limit"]["search"]["cpu_s"] == 10.0
    assert (found["further_boards_run"], found["further_limits_run"]) == (2, 1)


def test_a_library_s_epochs_are_counted_in_the_reference_s() -> None:
    assert figures(ROWS, [1])["phases"]["first"]["library"]["epochs"] == 4.9
    assert figures(ROWS, [1])["for_targets"][0]["epochs"] == pytest.approx(16 + 4.9)


def test_sums_of_what_was_run_are_the_runs_own() -> None:
    found = figures(ROWS, [1, 4])
    assert [one["cpu_s"] for one in found["cumulated"]] == [155.0, 189.0, 241.0, 252.0]
    assert [one["boards"] for one in found["cumulated"]] == [1, 2, 3, 3]
    assert cpu_of(found, 4) == {"targets": 4, "product": False} | {
        name: value for name, value in found["cumulated"][-1].items() if name not in ("targets", "boards")
    }


def test_more_targets_than_were_run_are_a_product_of_further_boards() -> None:
    """Not of limits on boards that are known: those cost less."""
    found = cpu_of(figures(ROWS, [20]), 20)
    assert found["product"] is True
    assert found["cpu_s"] == pytest.approx(252 + 16 * (34 + 52) / 2)


def test_without_a_further_board_there_is_nothing_to_multiply() -> None:
    found = cpu_of(figures(ROWS[:1], [5]), 5)
    assert found["product"] is True and found["cpu_s"] is None


def test_what_is_unknown_of_one_stage_is_unknown_of_the_sum() -> None:
    """Never taken for 0."""
    old = row("a", {"reference": None, "search": stage(20.0)}, ["reference", "search"], 155.0)
    found = figures([old], [1])
    assert found["phases"]["first"]["reference"]["cpu_s"] is None
    assert found["for_targets"][0]["cpu_s"] is None
    assert found["phases"]["first"]["search"]["cpu_s"] == 20.0
