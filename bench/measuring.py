"""Measures models on boards, several boards at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.recorded import baselines
from bench.twins import TWINS, twin
from tinynas.errors import FitError, ModelError
from tinynas.graph.tflm import TflmWorker
from tinynas.lab.board import Board
from tinynas.lab.measure import Measurement, measure
from tinynas.lab.session import BoardSession, open_board

REPEATS = 1  # counts are the same every time


@dataclass(frozen=True)
class BoardResult:
    """Figures of one board by model, and why others have none."""

    board: Board
    rows: Mapping[str, Measurement]
    left_out: Mapping[str, str]


def find_models(folder: Path | None) -> dict[str, bytes]:
    """Models to measure: the .tflite files of `folder`, known ones under their short name; else the twins.

    Raises:
        ModelError: the folder has no .tflite file.
    """
    if folder is None:
        return {name: twin(name) for name in TWINS}
    contents = {path.stem: path.read_bytes() for path in sorted(folder.glob("*.tflite"))}
    if not contents:
        raise ModelError(f"{folder}: no .tflite file in it; give a folder of int8 models (MODELS=DIR), or none")
    named = {baselines().name_of(hashlib.sha256(data).hexdigest()) or stem: data for stem, data in contents.items()}
    known = [name for name in baselines().models if name in named]
    return {name: named[name] for name in [*known, *(name for name in named if name not in known)]}


def measure_boards(
    models: Mapping[str, bytes], boards: Sequence[Board], jobs: int, on_done: Callable[[str], None]
) -> list[BoardResult]:
    """All models on all boards, `jobs` boards at a time; `on_done` is called with a board's name after each model."""
    with ThreadPoolExecutor(jobs) as pool:  # threads: compilers, QEMU and the interpreter are processes of their own
        return list(pool.map(lambda board: _measure_board(models, board, on_done), boards))


def _measure_board(models: Mapping[str, bytes], board: Board, on_done: Callable[[str], None]) -> BoardResult:
    rows, left_out = dict[str, Measurement](), dict[str, str]()
    with open_board(board) as session, TflmWorker() as worker:
        for name, data in models.items():
            try:
                rows[name] = _measure(data, name, session, worker)
            except (ModelError, FitError) as error:
                left_out[name] = str(error)
            on_done(board.name)
    return BoardResult(board, rows, left_out)


def _measure(data: bytes, name: str, session: BoardSession, worker: TflmWorker) -> Measurement:
    cycles = session.board.kind == "virtual"
    return measure(data, session.board, model=name, session=session, repeats=REPEATS, interpreter=worker, cycles=cycles)
