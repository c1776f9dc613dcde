"""A regression run in a few lines, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinynas.lab.regression.result import CaseResult, RunResult


def result_lines(result: RunResult, verify: bool) -> Iterator[str]:
    """What did not pass and why, what is worth knowing, and the counts."""
    from tinynas.lab.regression.attempt import Status

    for case in result.cases:
        if case.status is not Status.PASSED and not (verify and case.status is Status.SKIPPED):
            yield f"{case.status.upper():<11} {case.case}: {case.message}{_attempts(case)}"
        elif case.flaky:
            before = case.attempts[-2].message
            yield f"FLAKY       {case.case}: passed at attempt {len(case.attempts)}; before: {before}"
        elif verify and case.status is Status.PASSED:
            yield f"PASSES NOW  {case.case}: take it off the quarantine list"
    yield from _notes(result)
    for board in result.boards:
        if board.trouble:
            yield f"board {board.id}: {board.trouble}"
    yield _counts(result)


def _attempts(case: CaseResult) -> str:
    """Where the logs of a case are."""
    if not case.attempts or case.attempts[-1].entry is None:  # not built: there are none
        return ""
    times = f"{len(case.attempts)} attempts, " if len(case.attempts) > 1 else ""
    return f" ({times}logs: {case.attempts[-1].folder})"


def _notes(result: RunResult) -> Iterator[str]:
    """How many cases were not, or not fully, compared; and what got better."""
    notes = [case.compared.note for case in result.cases if case.compared.note]
    for note in dict.fromkeys(notes):
        yield f"{notes.count(note)} of {len(result.cases)} cases: {note} (tinynas lab baseline update)"
    for case in result.cases:
        better = [str(figure) for figure in case.compared.figures if figure.verdict == "better"]
        if better:
            yield f"BETTER      {case.case}: {'; '.join(better)}"


def _counts(result: RunResult) -> str:
    from tinynas.lab.regression.attempt import Status

    counts = ", ".join(f"{n} {status.value}" for status in Status if (n := result.count(status)))
    ran = sum(1 for case in result.cases if case.attempts)
    if ran == 0:
        return f"{counts or 'no cases'}: nothing ran"
    busy = sum(1 for board in result.boards if board.seconds)
    boards = f"{busy} board{'' if busy == 1 else 's'}"
    return f"{counts} in {result.seconds:.0f} s on {boards}: {ran / result.seconds * 60:.0f} pairs per minute"
