"""Which boards a case may run on."""

from __future__ import annotations

from collections.abc import Sequence

from tinynas.lab.hwmap import BoardEntry
from tinynas.lab.regression.suite import Case, Suite


def fits(case: Case, entry: BoardEntry, suite: Suite) -> bool:
    """Whether the case may run on that board."""
    right_one = case.entry in {None, entry.id}
    return right_one and entry.kind == case.kind and set(suite.fixtures) <= set(entry.fixtures)


def no_board(case: Case, suite: Suite, entries: Sequence[BoardEntry]) -> str | None:
    """Why no connected board of the map can run the case; None if one can."""
    kind = [entry for entry in entries if entry.kind == case.kind and case.entry in {None, entry.id}]
    if not kind:
        return f"no {case.kind} in the hardware map"
    fitting = [entry for entry in kind if fits(case, entry, suite)]
    if not fitting:
        return f"no {case.kind} has {', '.join(suite.fixtures)}"
    if not any(entry.connected for entry in fitting):
        return f"{', '.join(entry.id for entry in fitting)}: not connected"
    return None
