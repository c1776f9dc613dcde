"""Progress within trainings that run in other processes, from the notes that they leave after every epoch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from tinynas.pipeline.beside import beside
from tinynas.pipeline.jobs import TrainJob, noted_epochs, run_jobs
from tinynas.pipeline.progress import Progress

Tell = Callable[[int, float | None], None]  # epochs done by all trainings together; the highest accuracy noted so far

_EVERY_S = 0.5


def run_followed(jobs: Sequence[TrainJob], workers: int, progress: Progress, before: int = 0) -> None:
    """As `run_jobs`, with the stage's progress counted in epochs, of which others have done `before`."""

    def tell(done: int, best: float | None) -> None:
        progress.advance(before + done, "" if best is None else f"validation accuracy {best:.1%}")

    with following(jobs, tell):
        run_jobs(jobs, workers)


@contextmanager
def following(jobs: Sequence[TrainJob], tell: Tell) -> Iterator[None]:
    """Call `tell` from a thread while the block runs, whenever an epoch has ended; once more at its end."""
    with beside(partial(_follow, jobs, tell)):
        yield


def _follow(jobs: Sequence[TrainJob], tell: Tell, over: threading.Event) -> None:
    told, last = 0, False
    while not last:
        last = over.wait(_EVERY_S)  # then look a last time
        noted = [accuracy for job in jobs for accuracy in noted_epochs(job.folder).values()]
        if len(noted) > told:
            told = len(noted)
            tell(told, max((accuracy for accuracy in noted if accuracy is not None), default=None))
