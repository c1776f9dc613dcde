"""Progress within trainings that run in other processes, from the notes that they leave after every epoch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tinynas.pipeline.jobs import TrainJob, accuracy_by_epoch

Tell = Callable[[int, float], None]  # of epochs done by all trainings together, and the highest accuracy noted so far

_EVERY_S = 0.5


@contextmanager
def following(jobs: Sequence[TrainJob], tell: Tell) -> Iterator[None]:
    """Call `tell` from a thread while the block runs, whenever an epoch has ended; once more at its end.

    Only jobs with `followed_images` leave notes.
    """
    over = threading.Event()
    thread = threading.Thread(target=_follow, args=(jobs, tell, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _follow(jobs: Sequence[TrainJob], tell: Tell, over: threading.Event) -> None:
    told, last = 0, False
    while not last:
        last = over.wait(_EVERY_S)  # then look a last time
        noted = [accuracy for job in jobs for accuracy in accuracy_by_epoch(job.folder).values()]
        if len(noted) > told:
            told = len(noted)
            tell(told, max(noted))
