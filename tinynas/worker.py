"""Worker processes that do not outlive the process they work for, even when that one is killed, and their threads."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

_EVERY_S = 0.5


def end_with_parent() -> None:
    """In a worker process: end it soon after its parent is gone. In the main process: nothing.

    joblib's workers would finish their work and wait minutes for more, in the way of the run that continues theirs.
    """
    parent = multiprocessing.parent_process()  # as it was at the start: it may be gone by now
    if parent is not None and parent.pid is not None:
        _watch(os.getpid(), parent.pid)


@lru_cache(maxsize=1)
def _watch(_pid: int, parent: int) -> None:
    """Start the watching thread, once per process."""
    threading.Thread(target=_end_when_orphaned, args=(parent,), daemon=True).start()


def _end_when_orphaned(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_EVERY_S)
    os._exit(1)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """torch on `count` threads for a while: sums over threads depend on their number."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
