"""Accuracy of a model on a board, image by image beside the host's int8 interpreter."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import DataError
from tinynas.graph.interface import strip_float_ends
from tinynas.graph.ir import Graph, Tensor
from tinynas.graph.tflm import TflmInterpreter
from tinynas.lab.board import Board
from tinynas.lab.measure import Built, build_model, flash, output_bytes
from tinynas.lab.session import BoardSession, open_board

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
    log: Path | None = None,
) -> EvalResult:
    """Classifies `images` (uint8 [n, h, w, c]) on `board` and compares with `labels` [n].

    The class is the largest value of the first output; an output of one value is the second class from real 0.5 on.

    Raises:
        DataError: images do not have the model's input shape, or there are none.
    """
    with tempfile.TemporaryDirectory(prefix="tinynas-image-") as folder:
        built = build_model(model_bytes, board, Path(folder))
        inputs = pixels_to_int8(images, labels, built.graph)
        with open_board(board, log=log) as session, TflmInterpreter(model_bytes) as host:
            flash(session, built)
            return _compare(session, host, built, inputs, labels, on_progress)


def pixels_to_int8(images: NDArray[np.uint8], labels: NDArray[np.int64], graph: Graph) -> Int8:
    """Pixels as the model's int8 input [n, h, w, c]: q = round(pixel / 255 / scale) + zero point, clipped."""
    inner = strip_float_ends(graph)
    tensor = inner.tensors[inner.inputs[0]]
    if len(inner.inputs) != 1 or len(images) == 0 or images.shape[1:] != tensor.shape[1:] or len(labels) != len(images):
        raise DataError(
            f"wanted at least one image of shape {tensor.shape[1:]} (the model's only input) with its label, "
            f"found {len(images)} of shape {images.shape[1:]} with {len(labels)} labels; "
            "resize them to the model's input"
        )
    levels = _quantised_levels(tensor)
    return levels[images]


def _quantised_levels(tensor: Tensor) -> Int8:
    """The int8 value of every pixel value 0..255."""
    assert tensor.quant is not None
    scale, zero_point = float(tensor.quant.scale[0]), int(tensor.quant.zero_point[0])
    levels = np.round(np.arange(256) / (255.0 * scale)) + zero_point
    return np.clip(levels, -128, 127).astype(np.int8)


def _compare(
    session: BoardSession,
    host: TflmInterpreter,
    built: Built,
    inputs: Int8,
    labels: NDArray[np.int64],
    on_progress: OnProgress,
) -> EvalResult:
    threshold = _second_class_from(built.graph)
    correct = identical = 0
    for first in range(0, len(inputs), _CHUNK):
        chunk = inputs[first : first + _CHUNK]
        wanted = host.run_many([chunk[:, np.newaxis]])
        for k, image in enumerate(chunk):
            found = session.infer([image])
            identical += output_bytes(found) == output_bytes([output[k] for output in wanted])
            correct += _class(found[0], threshold) == labels[first + k]
        on_progress(first + len(chunk), len(inputs))
    return EvalResult(correct / len(inputs), len(inputs), identical)


def _class(output: Int8, threshold: float) -> int:
    return int(np.argmax(output)) if output.size > 1 else int(output[0] >= threshold)


def _second_class_from(graph: Graph) -> float:
    """The int8 value of real 0.5 at the first output."""
    inner = strip_float_ends(graph)
    quant = inner.tensors[inner.outputs[0]].quant
    assert quant is not None
    return 0.5 / float(quant.scale[0]) + int(quant.zero_point[0])
