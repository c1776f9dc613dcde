"""What a run is given: the cases, the boards, how to go about it, and whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinynas.lab.hwmap import BoardEntry
from tinynas.lab.regression.baseline import Baseline
from tinynas.lab.regression.quarantine import Quarantine
from tinynas.lab.regression.result import CaseResult
from tinynas.lab.regression.suite import Case, Suite


@dataclass(frozen=True)
class Options:
    """How to run, apart from what."""

    retries: int = 0  # more attempts at a case that did not pass
    retry_interval_s: float = 60.0
    wait_s: float = 3600.0  # for a board that another uses
    token: str | None = None  # of a reservation
    verify_quarantine: bool = False  # run only what is in quarantine


@dataclass(frozen=True)
class Work:
    """What to run, on what, against what."""

    suite: Suite
    cases: tuple[Case, ...]
    entries: tuple[BoardEntry, ...]
    baseline: Baseline
    quarantine: Quarantine


@dataclass(frozen=True)
class Events:
    """Whom a run tells."""

    done: Callable[[CaseResult, int, int], None]  # a case, how many are done, of how many
    say: Callable[[str], None]  # a line worth seeing
