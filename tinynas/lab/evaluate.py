"""Accuracy of a model on a board, image by image beside the host's int8 interpreter."""

from __future__ import annotations

import queue
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import DataError
from tinynas.graph.interface import strip_float_ends
from tinynas.graph.ir import Graph
from tinynas.graph.tflm import TflmInterpreter
from tinynas.lab.board import Board
from tinynas.lab.measure import Built, build_model, flash, output_bytes
from tinynas.lab.session import BoardSession, copies, open_board

Int8 = NDArray[np.int8]
_CHUNK = 16  # images per report of progress


@dataclass(frozen=True)
class EvalResult:
    """What `tinynas eval` prints."""

    accuracy: float  # fraction of 1, of the board's answers
    images: int
    images_identical_to_host: int  # all outputs equal TFLite Micro's, byte for byte


OnProgress = Callable[[int, int], None]  # images done, images in all


def evaluate_on_board(
    model_bytes: bytes,
    board: Board,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    on_progress: OnProgress = lambda done, total: None,
    *,
    boards: int = 2,
    log: Path | None = None,
    port: str | None = None,
    on_busy: Callable[[float], None] = lambda seconds: None,
) -> EvalResult:
    """Classifies `images` (uint8 [n, h, w, c]) on `board` and compares with `labels` [n].

    The class is the largest value of the first output; an output of one value is the second class from real 0.5 on.
    A virtual board is started `boards` times, to share the work; `log` is the first one's serial log. There is one
    board at a `port`, and one of a real board, which without `port` is found by its USB identity. `on_busy` is told of
    each board at the end for how many seconds it was busy.

    Raises:
        DataError: images do not have the model's input shape, or there are none.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tinynas-image-"))
        built = build_model(model_bytes, board, Path(folder))
        inputs = pixels_to_int8(images, labels, built.graph)
        places = [
            _place(stack, model_bytes, board, built, log if k == 0 else None, port)
            for k in range(copies(board, boards, port))
        ]
        task = _Task(inputs, labels, second_class_from(built.graph))
        result = _share(places, task, on_progress)
        for place in places:
            on_busy(place.session.busy_s)
        return result


def pixels_to_int8(images: NDArray[np.uint8], labels: NDArray[np.int64], graph: Graph) -> Int8:
    """Pixels as the model's int8 input [n, h, w, c]: q = pixel - 128.

    An image model's int8 input spans the 256 levels of a pixel, whichever reals (0 to 1, -1 to 1, 0 to 255) it was
    trained on; MLPerf Tiny and TFLite Micro's examples feed theirs so too.
    """
    inner = strip_float_ends(graph)
    tensor = inner.tensors[inner.inputs[0]]
    if len(inner.inputs) != 1 or len(images) == 0 or images.shape[1:] != tensor.shape[1:] or len(labels) != len(images):
        raise DataError(
            f"wanted at least one image of shape {tensor.shape[1:]} (the model's only input) with its label, "
            f"found {len(images)} of shape {images.shape[1:]} with {len(labels)} labels; "
            "resize them to the model's input"
        )
    return (images.astype(np.int16) - 128).astype(np.int8)


@dataclass(frozen=True)
class _Place:
    """A board, and an interpreter beside it."""

    session: BoardSession
    host: TflmInterpreter


@dataclass(frozen=True)
class _Task:
    """What all places work on."""

    inputs: Int8  # [n, h, w, c]
    labels: NDArray[np.int64]  # [n]
    threshold: float  # int8 value of real 0.5

    def run(self, place: _Place, first: int) -> _Count:
        """Images `first` to `first` + _CHUNK, on the board and on the host."""
        chunk = self.inputs[first : first + _CHUNK]
        wanted = place.host.run_many([chunk[:, np.newaxis]])
        correct = identical = 0
        for k, image in enumerate(chunk):
            found = place.session.infer([image])
            identical += output_bytes(found) == output_bytes([output[k] for output in wanted])
            correct += predicted_class(found[0], self.threshold) == self.labels[first + k]
        return _Count(len(chunk), int(correct), identical)


@dataclass(frozen=True)
class _Count:
    images: int
    correct: int
    identical: int


def _place(
    stack: ExitStack, model_bytes: bytes, board: Board, built: Built, log: Path | None, port: str | None
) -> _Place:
    host = stack.enter_context(TflmInterpreter(model_bytes))
    session = stack.enter_context(open_board(board, log=log, port=port))
    flash(session, built)
    return _Place(session, host)


def _share(places: list[_Place], task: _Task, on_progress: OnProgress) -> EvalResult:
    """Chunks go to whichever place is free."""
    total = len(task.inputs)
    free: queue.SimpleQueue[_Place] = queue.SimpleQueue()
    for place in places:
        free.put(place)

    def run(first: int) -> _Count:
        place = free.get()
        try:
            return task.run(place, first)
        finally:
            free.put(place)

    counts: list[_Count] = []
    with ThreadPoolExecutor(len(places)) as pool:
        try:
            for count in pool.map(run, range(0, total, _CHUNK)):
                counts.append(count)
                on_progress(sum(c.images for c in counts), total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return EvalResult(sum(c.correct for c in counts) / total, total, sum(c.identical for c in counts))


def predicted_class(output: Int8, threshold: float) -> int:
    """Of the first output: its largest value; one value alone is the second class from `threshold` on."""
    return int(np.argmax(output)) if output.size > 1 else int(output[0] >= threshold)


def second_class_from(graph: Graph) -> float:
    """The int8 value of real 0.5 at the first output."""
    inner = strip_float_ends(graph)
    quant = inner.tensors[inner.outputs[0]].quant
    assert quant is not None
    return 0.5 / float(quant.scale[0]) + int(quant.zero_point[0])
