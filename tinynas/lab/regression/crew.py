"""The parent's side of the board processes: starts them, hands out tasks, ends those that hang."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from tinynas.lab.hwmap import BoardEntry
from tinynas.lab.regression.attempt import Status
from tinynas.lab.regression.worker import Outcome, Post, Ready, Task, Unavailable, Waiting, serve

_GOODBYE_S = 5.0
_ERRORS_IN_A_ROW = 3  # then a board is taken out of the run


@dataclass(frozen=True)
class Finished:
    """A task that ended, however it did."""

    entry: BoardEntry
    name: str  # as it was given to `Crew.give`
    outcome: Outcome


class BoardWorker:
    """One board's process, seen from the parent."""

    def __init__(self, post: Post) -> None:
        context = multiprocessing.get_context("spawn")
        self.post = post
        self.line, its_line = context.Pipe()
        self.process: BaseProcess = context.Process(target=serve, args=(its_line, post), daemon=True)
        self.process.start()
        its_line.close()  # so that its death is seen here
        self.ready = self.waits = False
        self.task: str | None = None
        self.started_s = self.deadline_s = 0.0

    def give(self, name: str, task: Task, limit_s: float) -> None:
        self.task, self.started_s = name, time.monotonic()
        self.deadline_s = self.started_s + limit_s
        self.line.send(task)

    def end(self, limit_s: float) -> None:
        """Asks it to end; kills it if it does not."""
        with contextlib.suppress(OSError):
            self.line.send(None)
        self.process.join(limit_s)
        self.process.kill()
        self.process.join()
        self.line.close()


class Crew:
    """A process per board, kept while its board is of use."""

    def __init__(
        self,
        entries: Sequence[BoardEntry],
        purpose: str,
        wait_s: float,
        token: str | None,
        say: Callable[[str], None],
    ) -> None:
        self._say = say
        self._posts = {entry.id: Post(entry, purpose, wait_s, token) for entry in entries}
        self._workers: dict[str, BoardWorker] = {}
        self._errors: dict[str, int] = {}  # in a row
        self.trouble: dict[str, str] = {}  # why a board was taken out, by id
        self.busy_s: dict[str, float] = {}

    @property
    def usable(self) -> list[BoardEntry]:
        """Boards that are not out."""
        return [post.entry for board, post in self._posts.items() if board not in self.trouble]

    @property
    def ready(self) -> list[BoardEntry]:
        """Boards that wait for a task."""
        return [w.post.entry for w in self._workers.values() if w.ready and w.task is None]

    @property
    def idle(self) -> list[BoardEntry]:
        """Boards that wait for a task, or will soon."""
        return [w.post.entry for w in self._workers.values() if w.task is None and not w.waits]

    @property
    def uncalled(self) -> list[BoardEntry]:
        """Usable boards without a process."""
        return [entry for entry in self.usable if entry.id not in self._workers]

    def call(self, entry: BoardEntry) -> None:
        """Starts the process of an uncalled board."""
        self._workers[entry.id] = BoardWorker(self._posts[entry.id])

    def give(self, board: str, name: str, task: Task, limit_s: float) -> None:
        """Hands a task to a ready board; it must end within `limit_s`."""
        self._workers[board].give(name, task, limit_s)

    def finished(self, also: Connection, limit_s: float) -> list[Finished]:
        """Tasks that have ended; waits for one, for a board to become ready or for `also`, up to `limit_s`."""
        now_s = time.monotonic()
        by_line = {worker.line: worker for worker in self._workers.values()}
        deadlines = [worker.deadline_s - now_s for worker in self._workers.values() if worker.task is not None]
        lines = wait([also, *by_line], max(0.0, min([limit_s, *deadlines])))
        ended = [self._heard(by_line[line]) for line in lines if isinstance(line, Connection) and line in by_line]
        late = [worker for worker in self._workers.values() if worker.task and worker.deadline_s <= time.monotonic()]
        return [end for end in [*ended, *map(self._too_late, late)] if end is not None]

    def dismiss(self, limit_s: float = _GOODBYE_S) -> None:
        """Ends all processes."""
        deadline_s = time.monotonic() + limit_s
        for worker in self._workers.values():
            free = worker.task is None and worker.ready
            worker.end(max(0.0, deadline_s - time.monotonic()) if free else 0.0)
        self._workers.clear()

    def _heard(self, worker: BoardWorker) -> Finished | None:
        try:
            message: object = worker.line.recv()
        except (EOFError, OSError):
            return self._lost(worker, "its process died")
        if isinstance(message, Ready):
            worker.ready, worker.waits = True, False
        elif isinstance(message, Waiting):
            worker.waits = True
            self._say(f"waiting: {message.reason}")
        elif isinstance(message, Unavailable):
            self._out(worker, message.message)
        elif isinstance(message, Outcome):
            return self._ended(worker, message)
        return None

    def _ended(self, worker: BoardWorker, outcome: Outcome) -> Finished:
        name, worker.task = worker.task, None
        assert name is not None
        board = worker.post.entry.id
        self.busy_s[board] = self.busy_s.get(board, 0.0) + time.monotonic() - worker.started_s
        self._errors[board] = self._errors.get(board, 0) + 1 if outcome.status is Status.ERROR else 0
        if self._errors[board] >= _ERRORS_IN_A_ROW:
            self._out(worker, f"{_ERRORS_IN_A_ROW} errors in a row, the last: {outcome.message}")
        return Finished(worker.post.entry, name, outcome)

    def _too_late(self, worker: BoardWorker) -> Finished | None:
        return self._lost(
            worker, f"did not end within {worker.deadline_s - worker.started_s:g} s; its process was killed"
        )

    def _lost(self, worker: BoardWorker, what: str) -> Finished | None:
        """A process that is gone, or must go. The next one starts by switching the board off and on."""
        board = worker.post.entry.id
        worker.process.kill()
        if worker.task is None:
            self._out(worker, what)
            return None
        worker.end(0.0)
        del self._workers[board]
        self._posts[board] = replace(worker.post, power_first=True)
        seconds = time.monotonic() - worker.started_s
        return self._ended(worker, Outcome(Status.ERROR, f"{board}: {what}", None, False, seconds))

    def _out(self, worker: BoardWorker, why: str) -> None:
        board = worker.post.entry.id
        self.trouble[board] = why
        self._say(f"{board} is out of this run: {why}")
        if self._workers.pop(board, None) is not None:
            worker.end(_GOODBYE_S)
