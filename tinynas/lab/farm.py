"""Measures many models: worker processes, each with its own board and interpreter kept open."""

from __future__ import annotations

import hashlib
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

from tinynas.errors import LinkError, TinyNasError
from tinynas.lab.board import Board
from tinynas.lab.farm_worker import Job, Reply, Task, serve
from tinynas.lab.image_makers import image_makers
from tinynas.lab.measure import Measurement, Runtime
from tinynas.lab.runtime_size import runtime_size
from tinynas.lab.session import copies
from tinynas.lab.store import MeasurementKey, MeasurementStore
from tinynas.lab.toolchain import toolchain

_MODEL_LIMIT_S = 600.0  # one model, start of the worker included
_GOODBYE_S = 5.0
_TRIES = 3  # of a measurement on a real board


@dataclass(frozen=True)
class Progress:
    """Where a farm run stands after one more model."""

    done: int  # distinct models known so far, from the store or measured
    total: int  # distinct models asked for
    new: int  # of `done`, measured in this run
    new_per_minute: float  # of this run; 0 while none is new


OnDone = Callable[[Progress, Measurement], None]
OnBusy = Callable[[float], None]


def measure_all(
    models: Sequence[bytes],
    board: Board,
    store: MeasurementStore,
    workers: int = 2,
    on_done: OnDone = lambda progress, measurement: None,
) -> list[Measurement]:
    """`Farm.measure_all` with a farm that lives for this call."""
    with Farm(board, workers) as farm:
        return farm.measure_all(models, store, on_done)


class Farm:
    """Worker processes with a board each, started when first needed and kept until the farm is closed.

    A real board (at `port`, or found by its USB identity) has one worker, and a model whose measurement fails on the
    way to it (a lost byte, a loose plug) is measured again, a few times, each with its own serial log.

    `on_busy` is told after each model for how many seconds its board was busy with it.

    The start method is spawn, so a script that makes a farm needs the usual `if __name__ == "__main__"`.
    """

    def __init__(
        self,
        board: Board,
        workers: int = 2,
        *,
        runtime: Runtime = "engine",
        repeats: int = 3,
        port: str | None = None,
        on_busy: OnBusy = lambda seconds: None,
    ) -> None:
        self._job = Job(board, runtime, repeats, port)
        self._size = copies(board, workers, port)
        self._tries = _TRIES if board.kind == "hardware" else 1
        self._on_busy = on_busy
        self._team: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the workers and their boards."""
        for worker in self._team:
            worker.dismiss()
        for worker in self._team:
            worker.end()
        self._team = []

    def measure_all(
        self, models: Sequence[bytes], store: MeasurementStore, on_done: OnDone = lambda progress, measurement: None
    ) -> list[Measurement]:
        """Measurements of `models`, in their order; each distinct model is measured once, unless `store` has it.

        Every result is stored as it comes, then `on_done` is called. A model that fails does not keep the others
        from being measured; at the end the first failure is raised.

        Raises:
            TinyNasError: of the first model that failed; a worker that died or hung is a LinkError.
        """
        by_hash = {hashlib.sha256(model).hexdigest(): model for model in models}
        run = _Run(measurement_keys(list(by_hash), self._job.board, self._job.runtime), store, on_done)
        run.take_known()
        missing = {sha256: model for sha256, model in by_hash.items() if sha256 not in run.known}
        for reply in self._replies(missing):
            run.take_new(reply)
        if run.failures:
            raise run.failures[0]
        return [run.known[hashlib.sha256(model).hexdigest()] for model in models]

    def _replies(self, models: Mapping[str, bytes]) -> Iterator[Reply]:
        """One reply per model, as they come."""
        tasks = list(models.items())[::-1]
        tries: Counter[str] = Counter()
        if tasks:
            runtime_size(self._job.board)  # build engine and runner once, not once per worker
        busy: dict[Connection, _Worker] = {}
        try:
            while tasks or busy:
                while tasks and len(busy) < self._size:
                    worker = self._idle_worker(busy)
                    worker.give(tasks.pop())
                    busy[worker.line] = worker
                for worker in _finished(busy):
                    del busy[worker.line]
                    reply = self._reply(worker)
                    tries[reply.sha256] += 1
                    if _worth_another(reply) and tries[reply.sha256] < self._tries:
                        tasks.append((reply.sha256, models[reply.sha256]))
                    else:
                        yield reply
        finally:  # on an error or the user's Ctrl-C, work in progress is dropped
            for worker in busy.values():
                self._discard(worker)

    def _idle_worker(self, busy: Mapping[Connection, _Worker]) -> _Worker:
        for worker in self._team:
            if worker.line not in busy:
                return worker
        self._team.append(_Worker(self._job))
        return self._team[-1]

    def _reply(self, worker: _Worker) -> Reply:
        reply = worker.reply()
        if reply is None:
            self._discard(worker)
            sha256 = worker.sha256
            return Reply(sha256, LinkError(f"measuring model {sha256[:12]}: the worker died or hung; run again"))
        self._on_busy(reply.busy_s)
        return reply

    def _discard(self, worker: _Worker) -> None:
        worker.end(0.0)
        self._team.remove(worker)


def _worth_another(reply: Reply) -> bool:
    return isinstance(reply.result, LinkError) and reply.result.infrastructure


def measurement_keys(hashes: Sequence[str], board: Board, runtime: Runtime = "engine") -> dict[str, MeasurementKey]:
    """Key in the store of every model hash, for the firmware, planner and toolchain of now."""
    makers, tools = image_makers(board), toolchain(board)
    made_by = hashlib.sha256("".join(makers.values()).encode()).hexdigest()
    return {sha256: MeasurementKey(sha256, board.name, runtime, tools.version, made_by) for sha256 in hashes}


@dataclass
class _Run:
    """One call of `measure_all`: what is known, new and failed so far."""

    keys: Mapping[str, MeasurementKey]
    store: MeasurementStore
    on_done: OnDone
    known: dict[str, Measurement] = field(default_factory=dict)
    failures: list[TinyNasError] = field(default_factory=list)
    new: int = 0
    start_s: float = field(default_factory=time.monotonic)

    def take_known(self) -> None:
        for sha256, key in self.keys.items():
            if (stored := self.store.get(key)) is not None:
                self._take(sha256, stored)

    def take_new(self, reply: Reply) -> None:
        if isinstance(reply.result, TinyNasError):
            self.failures.append(reply.result)
            return
        self.store.put(self.keys[reply.sha256], reply.result)
        self.new += 1
        self._take(reply.sha256, reply.result)

    def _take(self, sha256: str, measurement: Measurement) -> None:
        self.known[sha256] = measurement
        per_minute = self.new / (time.monotonic() - self.start_s) * 60
        self.on_done(Progress(len(self.known), len(self.keys), self.new, per_minute), measurement)


class _Worker:
    """A worker process, seen from the farm."""

    def __init__(self, job: Job) -> None:
        context = multiprocessing.get_context("spawn")  # fork is unsafe where torch runs threads
        self.line, its_line = context.Pipe()
        self.process: BaseProcess = context.Process(target=serve, args=(its_line, job), daemon=True)
        self.process.start()
        its_line.close()  # so that its death is seen here
        self.sha256 = ""
        self.deadline_s = 0.0

    def give(self, task: Task) -> None:
        self.sha256 = task[0]
        self.deadline_s = time.monotonic() + _MODEL_LIMIT_S
        self.line.send(task)

    def reply(self) -> Reply | None:
        """What it answered, or None if it died or is past its time."""
        try:
            reply: Reply | None = self.line.recv() if self.line.poll() else None
        except (EOFError, OSError):
            return None
        return reply

    def dismiss(self) -> None:
        try:
            self.line.send(None)
        except OSError:
            self.process.kill()  # it is gone, or going

    def end(self, limit_s: float = _GOODBYE_S) -> None:
        self.process.join(limit_s)
        self.process.kill()
        self.process.join()
        self.line.close()


def _finished(busy: Mapping[Connection, _Worker]) -> list[_Worker]:
    """Workers with a reply, dead ones, and those past their time; waits until there is one."""
    first_deadline_s = min(worker.deadline_s for worker in busy.values())
    ready = wait(list(busy), max(0.0, first_deadline_s - time.monotonic()))
    late = [worker for worker in busy.values() if worker.deadline_s <= time.monotonic()]
    return [worker for worker in busy.values() if worker.line in ready or worker in late]
