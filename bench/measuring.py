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
from tinynas.graph.interface import deployable
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflm import TflmInterpreter, TflmWorker
from tinynas.lab.board import Board
from tinynas.lab.measure import SEED, Measurement, measure, same_outputs
from tinynas.lab.session import BoardSession, open_board
from tinynas.quantize.seeded import seeded_inputs

REPEATS = 1  # counts are the same every time


@dataclass(frozen=True)
class Row:
    """One model on one board."""

    measured: Measurement
    inputs: int  # seeded inputs that were run
    identical: int  # of them, those with TFLite Micro's bytes


@dataclass(frozen=True)
class BoardResult:
    """Figures of one board by model, and why others have none."""

    board: Board
    rows: Mapping[str, Row]
    left_out: Mapping[str, str]


def find_models(folder: Path | None) -> dict[str, bytes]:
    """Models to measure: the .tflite files of `folder`, known ones under their short name; else the twins.

    Another file with such a name keeps its suffix, as the recorded figures are not its own.

    Raises:
        ModelError: the folder has no .tflite file.
    """
    if folder is None:
        return {name: twin(name) for name in TWINS}
    paths = sorted(folder.glob("*.tflite"))
    if not paths:
        raise ModelError(f"{folder}: no .tflite file in it; give a folder of int8 models (MODELS=DIR), or none")
    named = {_name(path, data): data for path in paths for data in [path.read_bytes()]}
    known = [name for name in baselines().models if name in named]
    return {name: named[name] for name in [*known, *(name for name in named if name not in known)]}


def _name(path: Path, data: bytes) -> str:
    known = baselines().name_of(hashlib.sha256(data).hexdigest())
    return known or (path.name if path.stem in baselines().models else path.stem)


def measure_boards(
    models: Mapping[str, bytes], boards: Sequence[Board], inputs: int, jobs: int, on_done: Callable[[str], None]
) -> list[BoardResult]:
    """All models on all boards, `jobs` boards at a time, outputs compared on `inputs` seeded inputs.

    `on_done` is called with a board's name after each model.
    """
    with ThreadPoolExecutor(jobs) as pool:  # threads: compilers, QEMU and the interpreter are processes of their own
        return list(pool.map(lambda board: _measure_board(models, board, inputs, on_done), boards))


def _measure_board(
    models: Mapping[str, bytes], board: Board, inputs: int, on_done: Callable[[str], None]
) -> BoardResult:
    rows, left_out = dict[str, Row](), dict[str, str]()
    with open_board(board) as session, TflmWorker() as worker:
        for name, data in models.items():
            try:
                rows[name] = _measure(data, name, inputs, session, worker)
            except (ModelError, FitError) as error:
                left_out[name] = str(error)
            on_done(board.name)
    return BoardResult(board, rows, left_out)


def _measure(data: bytes, name: str, inputs: int, session: BoardSession, worker: TflmWorker) -> Row:
    cycles = session.board.kind == "virtual"
    measured = measure(
        data, session.board, model=name, session=session, repeats=REPEATS, interpreter=worker, cycles=cycles
    )
    return Row(measured, inputs, _identical(data, inputs, session, worker))


def _identical(data: bytes, inputs: int, session: BoardSession, worker: TflmWorker) -> int:
    """Of `inputs` seeded inputs, those on which the image that is on the board gives TFLite Micro's bytes."""
    sets = seeded_inputs(deployable(read_tflite(data)), SEED, inputs)
    with TflmInterpreter(data, worker=worker) as interpreter:
        return sum(same_outputs(session.infer(values), interpreter.run(values)) for values in sets)
