"""A process that has one board of the lab: it holds the board's lock, takes tasks and answers with outcomes.

A board that hangs for ever hangs this process, not the run: the other end kills it, which frees lock and port.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tinynas.errors import (
    FirmwareError,
    FitError,
    FlashError,
    GarbledError,
    LinkError,
    ModelError,
    NoAnswerError,
    PortLostError,
    RebootedError,
    TinyNasError,
)
from tinynas.lab.bench import hold_entry, open_entry
from tinynas.lab.hwmap import BoardEntry
from tinynas.lab.power import power_cycle
from tinynas.lab.regression.attempt import Metrics, Status
from tinynas.lab.regression.imagenote import ImageNote
from tinynas.lab.regression.package import read_package
from tinynas.lab.regression.steps import measure_package, put_on_board
from tinynas.lab.session import BoardSession

log = logging.getLogger("tinynas.lab")
# not where another program has the board, or its times are unsteady
_POWER_HELPS = (NoAnswerError, GarbledError, RebootedError, PortLostError, FirmwareError, FlashError)


@dataclass(frozen=True)
class Post:
    """The board that a worker has, and how it gets it."""

    entry: BoardEntry
    purpose: str  # shown to others who want the board
    wait_s: float  # for the board to be free
    token: str | None  # of a reservation
    power_first: bool = False  # it hung: the last worker was killed


@dataclass(frozen=True)
class Task:
    """One attempt."""

    package: Path
    folder: Path  # for the attempt's logs
    repeats: int


@dataclass(frozen=True)
class Ready:
    """The board is ours; tasks may come."""


@dataclass(frozen=True)
class Waiting:
    """Another has the board; we wait for it."""

    reason: str


@dataclass(frozen=True)
class Unavailable:
    """The board could not be had; the worker ends."""

    message: str


@dataclass(frozen=True)
class Outcome:
    """What became of a task."""

    status: Status
    message: str
    metrics: Metrics | None
    flashed: bool
    seconds: float


def serve(line: Connection, post: Post) -> None:
    """Says `Ready` once the board is locked, then answers each `Task` with an `Outcome` until None or the end comes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends us in good order
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            with _have_board(line, post):
                if post.power_first and post.entry.power is not None:
                    power_cycle(post.entry.power)
                line.send(Ready())
                with _HeldBoard(post.entry) as board:
                    while (task := line.recv()) is not None:
                        line.send(board.attempt(task))
        except TinyNasError as error:
            line.send(Unavailable(str(error)))


@contextmanager
def _have_board(line: Connection, post: Post) -> Iterator[None]:
    def waiting(reason: str) -> None:
        line.send(Waiting(reason))

    with hold_entry(post.entry, post.purpose, wait_s=post.wait_s, token=post.token, on_wait=waiting):
        yield


class _HeldBoard:
    """The board, opened when first needed and again after trouble."""

    def __init__(self, entry: BoardEntry) -> None:
        self._entry = entry
        self._open = ExitStack()
        self._session: BoardSession | None = None
        self._note = ImageNote(entry)

    def __enter__(self) -> _HeldBoard:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def attempt(self, task: Task) -> Outcome:
        start_s = time.monotonic()
        with _logging_to(task.folder / "log.txt"):
            status, message, metrics, flashed = self._try(task)
            log.info("%s%s", status, f": {message}" if message else "")
        return Outcome(status, message, metrics, flashed, time.monotonic() - start_s)

    def _try(self, task: Task) -> tuple[Status, str, Metrics | None, bool]:
        flashed = False
        try:
            package = read_package(task.package)
            session = self._board(task.folder / "serial.log")
            log.info("image %s of %s for %s", package.image_sha256, package.model, package.board)
            on_board = self._note.read()
            self._note.forget()  # until it is known to be whole
            flashed = put_on_board(session, task.package, package, on_board)
            self._note.write(package.image_sha256)
            log.info("flashed" if flashed else "image is on the board already: not flashed")
            metrics = measure_package(session, task.package, package, task.repeats)
            log.info("measured %s", metrics.model_dump_json())
            return *_verdict(metrics), metrics, flashed
        except TinyNasError as error:
            self._after(error)
            return (_blame(error), " ".join(str(error).split()), None, flashed)
        except Exception as error:  # a bug of ours costs this attempt, not the run; the traceback is kept
            log.error("%s", traceback.format_exc())
            self._close()
            return Status.ERROR, f"bug in tinynas: {error!r}; see log.txt", None, flashed

    def _board(self, serial_log: Path) -> BoardSession:
        if self._session is None:
            self._session = self._open.enter_context(open_entry(self._entry, serial_log))
        else:
            self._session.log_to(serial_log)
        return self._session

    def _after(self, error: TinyNasError) -> None:
        """A board in doubt is closed, switched off and on if that can be done, and flashed anew."""
        if not isinstance(error, LinkError):
            return
        self._close()
        self._note.forget()
        if self._entry.power is not None and isinstance(error, _POWER_HELPS):
            try:
                power_cycle(self._entry.power)
                log.info("power-cycled")
            except TinyNasError as trouble:
                log.error("%s", trouble)

    def _close(self) -> None:
        self._session = None
        self._note.closed()
        with contextlib.suppress(TinyNasError, OSError):
            self._open.close()


def _verdict(metrics: Metrics) -> tuple[Status, str]:
    if not metrics.bit_exact:
        return Status.FAILED, "outputs differ from TFLite Micro's on the seeded inputs"
    if metrics.images_identical != metrics.images:
        different = metrics.images - metrics.images_identical
        return Status.FAILED, f"outputs differ from TFLite Micro's on {different} of {metrics.images} images"
    return Status.PASSED, ""


def _blame(error: TinyNasError) -> Status:
    """The model's fault, or the lab's."""
    ours = isinstance(error, ModelError | FitError) or (isinstance(error, LinkError) and not error.infrastructure)
    return Status.FAILED if ours else Status.ERROR


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.close()
