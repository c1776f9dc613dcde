"""A worker process of the farm: one board and one interpreter, models in, measurements out."""

from __future__ import annotations

import contextlib
import signal
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection

from tinynas.errors import LinkError, TinyNasError
from tinynas.graph.tflm import TflmWorker
from tinynas.lab.board import Board
from tinynas.lab.measure import Measurement, Runtime, measure
from tinynas.lab.session import BoardSession, open_board

Task = tuple[str, bytes]  # sha256 of the .tflite, and the .tflite


@dataclass(frozen=True)
class Job:
    """How every model is measured."""

    board: Board
    runtime: Runtime
    repeats: int
    port: str | None = None  # of a board that is attached


@dataclass(frozen=True)
class Reply:
    """Outcome of one model."""

    sha256: str
    result: Measurement | TinyNasError
    busy_s: float = 0.0  # of the board


def serve(line: Connection, job: Job) -> None:
    """Answers every (sha256, model) on `line` with a `Reply` until None comes or the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends us in good order
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        _serve_boards(line, job)


def _serve_boards(line: Connection, job: Job) -> None:
    task = line.recv()
    with TflmWorker() as interpreter:
        while task is not None:
            with ExitStack() as stack:
                try:
                    session = stack.enter_context(open_board(job.board, port=job.port))
                except TinyNasError as error:
                    line.send(Reply(task[0], error))
                    task = line.recv()
                else:
                    task = _serve_until_trouble(line, job, session, interpreter, task)


def _serve_until_trouble(
    line: Connection, job: Job, session: BoardSession, interpreter: TflmWorker, task: Task | None
) -> Task | None:
    """Measures until there is no more to do (None) or the board is in doubt; then the task that comes next."""
    trouble = False
    while task is not None and not trouble:
        (sha256, model), before_s = task, session.busy_s
        try:
            result: Measurement | TinyNasError = measure(
                model, job.board, session=session, runtime=job.runtime, repeats=job.repeats, interpreter=interpreter
            )
        except TinyNasError as error:
            result, trouble = error, isinstance(error, LinkError)
        line.send(Reply(sha256, result, session.busy_s - before_s))
        task = line.recv()
    return task
