"""Runs a suite over the free boards of a lab, in parallel, with retries; every attempt is kept as it ends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tinynas.errors import FitError, ModelError, TinyNasError
from tinynas.lab.hwmap import BoardEntry
from tinynas.lab.regression.attempt import Attempt, Metrics, Status
from tinynas.lab.regression.baseline import Comparisons, Toolchain, tolerance_of
from tinynas.lab.regression.building import Builder, Built
from tinynas.lab.regression.crew import Crew, Finished
from tinynas.lab.regression.matching import fits, no_board
from tinynas.lab.regression.package import Package
from tinynas.lab.regression.result import BoardUsed, CaseResult, RunResult
from tinynas.lab.regression.run_folder import RunFolder
from tinynas.lab.regression.suite import Case
from tinynas.lab.regression.work import Events, Options, Work
from tinynas.lab.regression.worker import Task

_TICK_S = 0.5


@dataclass
class _State:
    """A case on its way."""

    case: Case
    attempts: list[Attempt] = field(default_factory=list)
    not_before_s: float = 0.0
    running: bool = False
    final: tuple[Status, str] | None = None  # without a last attempt to tell


def run_suite(work: Work, folder: RunFolder, builder: Builder, options: Options, events: Events) -> RunResult:
    """Runs what `folder` does not have yet; returns and keeps the results.

    Raises:
        TinyNasError: the run's own files cannot be written. A failing case raises nothing.
    """
    run = _Run(work, folder, builder, options, events)
    start_s = time.monotonic()
    try:
        run.go()
    finally:
        folder.add_seconds(time.monotonic() - start_s)
    result = run.result()
    folder.finish(result)
    return result


class _Run:
    def __init__(self, work: Work, folder: RunFolder, builder: Builder, options: Options, events: Events) -> None:
        self._work, self._folder, self._builder = work, folder, builder
        self._options, self._events = options, events
        self._states = {case.id: _State(case) for case in work.cases}
        self._packages: dict[str, Package | TinyNasError] = {}
        self._told: set[str] = set()
        usable = [entry for entry in work.entries if entry.connected]
        self._crew = Crew(usable, f"suite {work.suite.name}", options.wait_s, options.token, events.say)
        for attempt in folder.attempts:
            if attempt.case in self._states:
                self._states[attempt.case].attempts.append(attempt)

    def go(self) -> None:
        for state in self._states.values():
            state.final = self._not_run(state.case)
            if state.final is None:
                self._builder.ask(state.case)
        self._tell()
        try:
            while any(self._is_open(state) for state in self._states.values()):
                self._hand_out()
                for end in self._crew.finished(self._builder.line, _TICK_S):
                    self._ended(end)
                for built in self._builder.take():
                    self._built(built)
                self._tell()
        finally:
            self._crew.dismiss()

    def result(self) -> RunResult:
        return RunResult(
            suite=self._work.suite.name,
            run=self._folder.path.name,
            started=self._folder.about.started,
            seconds=self._folder.seconds,
            surroundings=self._folder.about.surroundings,
            boards=tuple(self._board_used(entry) for entry in self._work.entries),
            cases=tuple(self._case_result(state) for state in self._states.values()),
        )

    def _not_run(self, case: Case) -> tuple[Status, str] | None:
        """Why a case is not run at all."""
        reason = self._work.quarantine.reason(case.id)
        if self._options.verify_quarantine and reason is None:
            return Status.SKIPPED, "not in quarantine"
        if reason is not None and not self._options.verify_quarantine:
            return Status.QUARANTINED, reason
        missing = no_board(case, self._work.suite, self._work.entries)
        return None if missing is None else (Status.SKIPPED, missing)

    def _is_done(self, state: _State) -> bool:
        if state.final is not None:
            return True
        if state.running or not state.attempts:
            return False
        last = state.attempts[-1]
        return last.status is Status.PASSED or last.entry is None or len(state.attempts) > self._options.retries

    def _is_open(self, state: _State) -> bool:
        """Not done; or done by an earlier sitting, but its package is not known yet."""
        return state.final is None and (state.case.package not in self._packages or not self._is_done(state))

    def _hand_out(self) -> None:
        """Gives each ready board a case, and calls boards for those that are left."""
        now_s = time.monotonic()
        waiting = [state for state in self._states.values() if self._can_run(state, now_s)]
        for entry in self._crew.ready:
            if (state := self._first(waiting, entry)) is not None:
                waiting.remove(state)
                self._give(state, entry)
        coming = self._crew.idle
        for state in waiting:
            if not any(self._fits(state, entry) for entry in self._crew.usable):
                state.final = Status.ERROR, self._no_board_left(state.case)
            elif (soon := self._first_fitting(state, coming)) is not None:
                coming.remove(soon)
            elif (uncalled := self._first_fitting(state, self._crew.uncalled)) is not None:
                self._crew.call(uncalled)

    def _first(self, states: Sequence[_State], entry: BoardEntry) -> _State | None:
        return next((state for state in states if self._fits(state, entry)), None)

    def _first_fitting(self, state: _State, entries: Sequence[BoardEntry]) -> BoardEntry | None:
        return next((entry for entry in entries if self._fits(state, entry)), None)

    def _fits(self, state: _State, entry: BoardEntry) -> bool:
        return fits(state.case, entry, self._work.suite)

    def _can_run(self, state: _State, now_s: float) -> bool:
        built = isinstance(self._packages.get(state.case.package), Package)
        return built and not state.running and not self._is_done(state) and state.not_before_s <= now_s

    def _give(self, state: _State, entry: BoardEntry) -> None:
        state.running = True
        number = len(state.attempts) + 1
        logs = self._folder.path / self._folder.attempt_folder(state.case.id, number)
        task = Task(self._builder.folder(state.case), logs, self._work.suite.repeats)
        self._crew.give(entry.id, state.case.id, task, entry.flash_timeout + self._work.suite.timeout_s)

    def _built(self, built: Built) -> None:
        self._packages[built.name] = built.result
        if isinstance(built.result, TinyNasError):
            status = Status.FAILED if isinstance(built.result, ModelError | FitError) else Status.ERROR
            message = " ".join(str(built.result).split())
            for state in self._states.values():
                if state.case.package == built.name and not self._is_done(state):
                    self._keep(state, None, status, message)

    def _ended(self, end: Finished) -> None:
        state, outcome = self._states[end.name], end.outcome
        state.running = False
        state.not_before_s = time.monotonic() + self._options.retry_interval_s
        status, message = outcome.status, outcome.message
        if status is Status.PASSED and outcome.metrics is not None:
            worse = self._compare(state.case, outcome.metrics).regressions
            if worse:
                status, message = Status.FAILED, "; ".join(map(str, worse))
        self._keep(state, end, status, message)

    def _keep(self, state: _State, end: Finished | None, status: Status, message: str) -> None:
        number = len(state.attempts) + 1
        outcome = None if end is None else end.outcome
        attempt = Attempt(
            case=state.case.id,
            number=number,
            entry=None if end is None else end.entry.id,
            status=status,
            message=message,
            metrics=None if outcome is None else outcome.metrics,
            flashed=outcome is not None and outcome.flashed,
            seconds=0.0 if outcome is None else outcome.seconds,
            folder=self._folder.attempt_folder(state.case.id, number),
        )
        self._folder.add(attempt)
        state.attempts.append(attempt)

    def _compare(self, case: Case, metrics: Metrics) -> Comparisons:
        package = self._packages[case.package]
        assert isinstance(package, Package)
        tolerance = tolerance_of(package.kind, self._work.suite.tolerance)
        return self._work.baseline.compare(case.id, self._toolchain(package), metrics, tolerance)

    def _toolchain(self, package: Package) -> Toolchain:
        emulator = self._folder.about.surroundings.emulator if package.kind == "virtual" else None
        return Toolchain(compiler=package.toolchain, emulator=emulator)

    def _tell(self) -> None:
        done = [state for state in self._states.values() if not self._is_open(state)]
        for state in done:
            if state.case.id not in self._told:
                self._told.add(state.case.id)
                self._events.done(self._case_result(state), len(self._told), len(self._states))

    def _case_result(self, state: _State) -> CaseResult:
        case, attempts = state.case, state.attempts
        status, message = state.final or (attempts[-1].status, attempts[-1].message)
        package = self._packages.get(case.package)
        measured = [attempt.metrics for attempt in attempts if attempt.metrics is not None]
        return CaseResult(
            case=case.id,
            model=case.model,
            board=case.kind,
            runtime=case.runtime,
            status=status,
            message=message,
            flaky=status is Status.PASSED and len(attempts) > 1,
            attempts=tuple(attempts),
            package=package if isinstance(package, Package) else None,
            toolchain=self._toolchain(package) if isinstance(package, Package) else None,
            metrics=measured[-1] if measured else None,
            compared=self._compare(case, measured[-1]) if measured else Comparisons(),
        )

    def _no_board_left(self, case: Case) -> str:
        troubles = (
            f"{entry.id}: {self._crew.trouble[entry.id]}"
            for entry in self._work.entries
            if entry.id in self._crew.trouble and fits(case, entry, self._work.suite)
        )
        return f"no board left; {'; '.join(troubles)}"

    def _board_used(self, entry: BoardEntry) -> BoardUsed:
        return BoardUsed(
            id=entry.id,
            board=entry.kind,
            serial=entry.serial,
            seconds=self._crew.busy_s.get(entry.id, 0.0),
            trouble=self._crew.trouble.get(entry.id, "" if entry.connected else "not connected"),
        )
