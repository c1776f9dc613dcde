"""What a run found: results.json, and what all reports are made from."""

from __future__ import annotations

from collections import Counter

from pydantic import BaseModel

from tinynas.lab.regression.attempt import Attempt, Metrics, Status
from tinynas.lab.regression.baseline import Comparisons, Toolchain
from tinynas.lab.regression.package import Package

EXIT_FAILED, EXIT_LAB_TROUBLE = 1, 3


class Surroundings(BaseModel, frozen=True, extra="forbid"):
    """What a run's figures depend on besides the models."""

    tinynas: str
    python: str
    host: str  # the machine's name
    machine: str  # its system
    git_commit: str | None  # of the suite's folder; None outside a repository
    git_dirty: bool  # something there was not committed
    emulator: str | None  # QEMU's version; None if no virtual board took part


class BoardUsed(BaseModel, frozen=True, extra="forbid"):
    """A board of the run."""

    id: str
    board: str
    serial: str | None
    seconds: float  # busy
    trouble: str = ""  # why it was taken out of the run


class CaseResult(BaseModel, frozen=True, extra="forbid"):
    """A case with all its attempts."""

    case: str
    model: str
    board: str
    runtime: str
    status: Status
    message: str = ""
    flaky: bool = False  # passed, but not at once
    attempts: tuple[Attempt, ...] = ()
    package: Package | None = None
    toolchain: Toolchain | None = None
    metrics: Metrics | None = None  # of the last attempt that measured
    compared: Comparisons = Comparisons()


class RunResult(BaseModel, frozen=True, extra="forbid"):
    """A whole run."""

    suite: str
    run: str  # name of its folder: when it started
    started: str  # UTC, ISO 8601
    seconds: float  # of all its sittings
    surroundings: Surroundings
    boards: tuple[BoardUsed, ...]
    cases: tuple[CaseResult, ...]

    def count(self, status: Status) -> int:
        return Counter(case.status for case in self.cases)[status]

    @property
    def exit_status(self) -> int:
        """0: nothing failed; 1: a model failed or got worse; 3: the lab failed, so that not all could be told."""
        if self.count(Status.FAILED):
            return EXIT_FAILED
        return EXIT_LAB_TROUBLE if self.count(Status.ERROR) else 0
