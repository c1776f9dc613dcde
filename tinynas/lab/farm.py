"""Measures many models: worker processes, each with its own board and interpreter kept open."""

from __future__ import annotations

import hashlib
import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from tinynas.errors import LinkError, TinyNasError, ToolError
from tinynas.lab.board import Board
from tinynas.lab.build import firmware
from tinynas.lab.measure import Measurement, Runtime, TflmWorker, measure
from tinynas.lab.runtime_size import runtime_size
from tinynas.lab.session import open_board
from tinynas.lab.store import MeasurementKey, MeasurementStore

_MODEL_LIMIT_S = 600.0  # one model, start of the worker included


@dataclass(frozen=True)
class Progress:
    """Where a farm run stands after one more model."""

    done: int  # distinct models known so far, from the store or measured
    total: int  # distinct models asked for
    new: int  # of `done`, measured in this run
    new_per_minute: float  # since the first worker started; 0 while none is new


OnDone = Callable[[Progress, Measurement], None]


@dataclass(frozen=True)
class _Worker:
    process: BaseProcess
    line: Connection


@dataclass(frozen=True)
class _Reply:
    sha256: str
    result: Measurement | TinyNasError


def measure_all(
    models: Sequence[bytes],
    board: Board,
    store: MeasurementStore,
    workers: int = 2,
    on_done: OnDone = lambda progress, measurement: None,
    *,
    runtime: Runtime = "engine",
    repeats: int = 3,
) -> list[Measurement]:
    """Measurements of `models`, in their order; each distinct model is measured once, unless `store` has it.

    Every result is stored as it comes. A model that fails does not keep the others from being measured; then the
    first failure is raised.

    Raises:
        TinyNasError: of the first model that failed; a worker that died or hung is a LinkError.
    """
    by_hash = {hashlib.sha256(model).hexdigest(): model for model in models}
    keys = measurement_keys(list(by_hash), board, runtime)
    known: dict[str, Measurement] = {}
    for sha256, key in keys.items():
        if (stored := store.get(key)) is not None:
            known[sha256] = stored
            on_done(Progress(len(known), len(by_hash), 0, 0.0), stored)
    missing = {sha256: model for sha256, model in by_hash.items() if sha256 not in known}
    failures = _measure_missing(missing, known, len(by_hash), board, store, keys, workers, on_done, runtime, repeats)
    if failures:
        raise failures[0]
    return [known[hashlib.sha256(model).hexdigest()] for model in models]


def measurement_keys(hashes: Sequence[str], board: Board, runtime: Runtime = "engine") -> dict[str, MeasurementKey]:
    """Key in the store of every model hash, for the firmware and toolchain of now."""
    parts = firmware(board)
    return {
        sha256: MeasurementKey(sha256, board.name, runtime, parts.tools.version, parts.firmware_hash)
        for sha256 in hashes
    }
