"""Which figures of a run may become the baseline."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from tinynas.errors import ConfigError
from tinynas.lab.regression.attempt import Status
from tinynas.lab.regression.baseline import Record
from tinynas.lab.regression.result import CaseResult, RunResult


def records_of(result: RunResult, patterns: Sequence[str]) -> list[tuple[str, Record]]:
    """Case id and record of every bit-exact case that ended in a measurement and whose id matches a pattern.

    Raises:
        ConfigError: there is none.
    """
    chosen = [case for case in result.cases if any(fnmatch.fnmatchcase(case.case, pattern) for pattern in patterns)]
    commit = result.surroundings.git_commit
    records = [(case.case, record) for case in chosen if (record := _record(case, commit, result.started)) is not None]
    if not records:
        raise ConfigError(
            f"run {result.run}: no case matching {', '.join(patterns)} was measured bit for bit; nothing to take over"
        )
    return records


def _record(case: CaseResult, commit: str | None, date: str) -> Record | None:
    if case.status not in {Status.PASSED, Status.FAILED} or case.metrics is None or case.toolchain is None:
        return None
    if not case.metrics.bit_exact or case.attempts[-1].metrics is None:
        return None
    return Record(toolchain=case.toolchain, metrics=case.metrics, commit=commit, date=date)
