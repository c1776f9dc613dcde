"""Results of every run, in the measurement store: SQLite, or a database that a team shares."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Float, Integer, MetaData, String, Table, Text, select

from tinynas.lab.database import Database
from tinynas.lab.regression.attempt import Metrics, Status
from tinynas.lab.regression.result import CaseResult, RunResult

_TABLE = Table(
    "lab_results",
    MetaData(),
    Column("suite", String(200), primary_key=True),
    Column("run", String(200), primary_key=True),
    Column("host", String(200), primary_key=True),
    Column("case_id", String(200), primary_key=True),
    Column("started", String(40), nullable=False),  # UTC, ISO 8601
    Column("git_commit", String(60)),
    Column("toolchain", String(300)),
    Column("board_id", String(200)),
    Column("status", String(20), nullable=False),
    Column("flaky", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("message", Text, nullable=False),
    Column("metrics", Text),  # JSON of `Metrics`
)


@dataclass(frozen=True)
class Entry:
    """A case in one run."""

    run: str
    host: str
    case: str
    started: str
    git_commit: str | None
    toolchain: str | None
    board_id: str | None
    status: Status
    flaky: bool
    attempts: int
    seconds: float
    message: str
    metrics: Metrics | None


class History:
    """All runs of all suites in the store at `url` (a SQLAlchemy URL, or the path of an SQLite file)."""

    def __init__(self, url: str) -> None:
        self._database = Database(url, _TABLE)

    def close(self) -> None:
        self._database.close()

    def add(self, result: RunResult) -> None:
        """Keeps the results of a run; those of one that is there already stay.

        Raises:
            StoreError: the database cannot be written.
        """
        self._database.insert([_row(case, result) for case in result.cases])

    def entries(self, suite: str) -> list[Entry]:
        """Every case of every run of `suite`, the oldest run first."""
        query = select(_TABLE).where(_TABLE.c.suite == suite).order_by(_TABLE.c.started, _TABLE.c.run, _TABLE.c.case_id)
        return [_entry(row._asdict()) for row in self._database.rows(query)]


def _row(case: CaseResult, result: RunResult) -> dict[str, object]:
    about = result.surroundings
    return {
        "suite": result.suite,
        "run": result.run,
        "host": about.host,
        "case_id": case.case,
        "started": result.started,
        "git_commit": about.git_commit and about.git_commit + ("+" if about.git_dirty else ""),
        "toolchain": None if case.toolchain is None else str(case.toolchain),
        "board_id": case.attempts[-1].entry if case.attempts else None,
        "status": case.status.value,
        "flaky": case.flaky,
        "attempts": len(case.attempts),
        "seconds": sum(attempt.seconds for attempt in case.attempts),
        "message": case.message,
        "metrics": None if case.metrics is None else case.metrics.model_dump_json(),
    }


def _entry(row: dict[str, object]) -> Entry:
    values = {name: value for name, value in row.items() if name not in {"suite", "case_id", "status", "metrics"}}
    metrics = None if row["metrics"] is None else Metrics.model_validate_json(str(row["metrics"]))
    return Entry(**values, case=str(row["case_id"]), status=Status(str(row["status"])), metrics=metrics)  # type: ignore[arg-type]
