"""Sums of what targets cost: by phase, and for numbers of boards; what was not run is a product, and marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

UNITS = ("wall_s", "cpu_s", "device_s", "networks", "epochs")
REST = "rest"  # of a run: images read, firmware's runtime built, kept stages opened, report written

Row = Mapping[str, Any]
Amounts = dict[str, float | None]  # by unit; None: unknown


def figures(rows: Sequence[Row], counts: Sequence[int]) -> dict[str, Any]:
    """`rows`: targets in the order in which they were run; `new` names the stages that each was the first to need."""
    phases = [_phases(row) for row in rows]
    totals = [_sum(list(phase.values())) for phase in phases]
    boards = [index for index, row in enumerate(rows) if index and row["quantile"] is None]
    limits = [index for index, row in enumerate(rows) if row["quantile"] is not None]
    return {
        "phases": {
            "first": phases[0],
            "further_board": _mean_phases([phases[index] for index in boards]),
            "further_limit": _mean_phases([phases[index] for index in limits]),
        },
        "further_boards_run": len(boards),
        "further_limits_run": len(limits),
        "cumulated": [
            {"targets": count, "boards": len({row["board"] for row in rows[:count]}), **_sum(totals[:count])}
            for count in range(1, len(rows) + 1)
        ],
        "for_targets": [_for_targets(count, totals, [totals[index] for index in boards]) for count in counts],
    }


def _phases(row: Row) -> dict[str, Amounts]:
    """What each stage cost that this target was the first to need; and the rest of its run."""
    found: dict[str, Amounts] = {name: _amounts(row["stages"][name]) for name in row["new"]}
    stages = _sum(list(found.values()))
    found[REST] = dict.fromkeys(UNITS, 0.0) | {
        unit: None if (part := stages[unit]) is None or row[unit] is None else round(max(row[unit] - part, 0.0), 2)
        for unit in ("wall_s", "cpu_s")
    }
    return found


def _amounts(cost: Row | None) -> Amounts:
    """A library's epochs are of single blocks; they are counted in the reference's that do as much work."""
    if cost is None:
        return dict.fromkeys(UNITS)
    found: Amounts = {unit: cost[unit] for unit in UNITS}
    return found if cost["epochs_equivalent"] is None else found | {"epochs": cost["epochs_equivalent"]}


def _sum(parts: Sequence[Amounts]) -> Amounts:
    """Unknown where one part is."""
    found: Amounts = {}
    for unit in UNITS:
        values = [part[unit] for part in parts]
        found[unit] = None if None in values else round(sum(value for value in values if value is not None), 2)
    return found


def _scaled(part: Amounts, factor: float) -> Amounts:
    return {unit: None if value is None else round(value * factor, 2) for unit, value in part.items()}


def _mean_phases(phases: Sequence[Mapping[str, Amounts]]) -> dict[str, Amounts]:
    """By phase, over the targets; a phase that one of them did not need cost it nothing."""
    nothing: Amounts = dict.fromkeys(UNITS, 0.0)
    names = dict.fromkeys(name for phase in phases for name in phase)
    return {name: _scaled(_sum([phase.get(name, nothing) for phase in phases]), 1 / len(phases)) for name in names}


def _for_targets(count: int, totals: Sequence[Amounts], boards: Sequence[Amounts]) -> dict[str, Any]:
    """Of `count` targets: those that were run, and for the others the mean of a further board."""
    run = _sum(totals[:count])
    missing = max(count - len(totals), 0)
    if not missing:
        return {"targets": count, "product": False, **run}
    if not boards:
        return {"targets": count, "product": True, **dict.fromkeys(UNITS)}
    return {"targets": count, "product": True, **_sum([run, _scaled(_sum(boards), missing / len(boards))])}
