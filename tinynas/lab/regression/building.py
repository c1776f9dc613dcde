"""Builds the packages of a run beside the boards' work: threads, as the compiler is a process of its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tinynas.errors import ConfigError, TinyNasError
from tinynas.graph.tflm import TflmWorker
from tinynas.lab.board import load_board
from tinynas.lab.regression.package import Labelled, Package, build_package, read_package
from tinynas.lab.regression.suite import Case, SuiteModel

LoadLabelled = Callable[[SuiteModel], Labelled]


@dataclass(frozen=True)
class Built:
    """A package, or why there is none."""

    name: str
    result: Package | TinyNasError


class Builder:
    """Builds packages into `root`, each once; `line` has something to read whenever one is done.

    With `reuse`, a package that is there already is taken (an interrupted run left it); without `models`, all must be.
    """

    def __init__(
        self, root: Path, models: Mapping[str, SuiteModel], load_labelled: LoadLabelled, jobs: int, *, reuse: bool
    ) -> None:
        self._root = root
        self._models = models
        self._load_labelled = load_labelled
        self._reuse = reuse
        self._pool = ThreadPoolExecutor(jobs, thread_name_prefix="build")
        self._local = threading.local()
        self._interpreters: list[TflmWorker] = []
        self._labelled: dict[str, Labelled] = {}
        self._lock = threading.Lock()
        self._asked: set[str] = set()
        self.line, self._bell = multiprocessing.Pipe(duplex=False)
        self._done: list[Built] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)
        for interpreter in self._interpreters:
            interpreter.close()
        self._bell.close()
        self.line.close()

    def ask(self, case: Case) -> None:
        """Queues the package of `case`, unless it was."""
        if case.package not in self._asked:
            self._asked.add(case.package)
            self._pool.submit(self._make, case)

    def folder(self, case: Case) -> Path:
        """Where the package of `case` is."""
        return self._root / case.package

    def take(self) -> list[Built]:
        """Packages done since the last call."""
        while self.line.poll():
            self.line.recv_bytes()
        with self._lock:
            done, self._done = self._done, []
        return done

    def _make(self, case: Case) -> None:
        try:
            result: Package | TinyNasError = self._package(case)
        except TinyNasError as error:
            result = error
        with self._lock:
            self._done.append(Built(case.package, result))
        with contextlib.suppress(OSError):  # the run is over
            self._bell.send_bytes(b".")

    def _package(self, case: Case) -> Package:
        folder = self.folder(case)
        if not self._models or (self._reuse and folder.exists()):
            return read_package(folder)
        model = self._models[case.model]
        try:
            content = model.path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{model.path}: {error.strerror}; mend `path` in the suite") from error
        labelled = None if model.spec.data is None else self._images(model)
        board = load_board(case.board)
        return build_package(case.model, content, board, case.runtime, folder, self._interpreter(), labelled)

    def _interpreter(self) -> TflmWorker:
        """One per thread: it serves one model at a time."""
        if not hasattr(self._local, "interpreter"):
            self._local.interpreter = TflmWorker()
            self._interpreters.append(self._local.interpreter)
        found: TflmWorker = self._local.interpreter
        return found

    def _images(self, model: SuiteModel) -> Labelled:
        with self._lock:
            if model.name not in self._labelled:
                self._labelled[model.name] = self._load_labelled(model)
            return self._labelled[model.name]


def build_all(builder: Builder, cases: Sequence[Case], on_done: Callable[[], None]) -> list[Built]:
    """Builds the packages of all `cases`; `on_done` is called after each."""
    wanted = {case.package for case in cases}
    for case in cases:
        builder.ask(case)
    built: list[Built] = []
    while len(built) < len(wanted):
        builder.line.poll(None)
        for one in builder.take():
            built.append(one)
            on_done()
    return built
