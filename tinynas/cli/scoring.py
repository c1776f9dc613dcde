"""Accuracy of an int8 model over labelled images, on this machine or on a board."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tinynas.errors import DataError

if TYPE_CHECKING:
    from tinynas.cli.models import Model
    from tinynas.data.types import Split
    from tinynas.lab.board import Board

BATCH = 16  # images per call of the interpreter: often enough for a smooth progress bar
OnProgress = Callable[[int, int], None]  # images done, images in all


@dataclass(frozen=True)
class Score:
    """What `tinynas eval` found. `images_identical_to_host` is None where no board was used."""

    accuracy: float  # fraction of 1
    images: int
    images_identical_to_host: int | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> Iterator[str]:
        yield f"accuracy {self.accuracy:.4f} on {self.images:,} images"
        if self.images_identical_to_host is not None:
            yield f"identical to the host's interpreter: {self.images_identical_to_host:,} of {self.images:,} images"


def score_on_host(model: Model, split: Split, on_progress: OnProgress) -> Score:
    """Run the TFLite Micro interpreter over `split`; a pixel p is fed as int8 p - 128."""
    import numpy as np

    from tinynas.graph.tflm import TflmInterpreter
    from tinynas.lab.evaluate import pixels_to_int8

    check_labels(model, split)
    correct = 0
    with TflmInterpreter(model.content) as interpreter:
        inputs = pixels_to_int8(split.images, split.labels, model.graph)
        for start in range(0, len(split), BATCH):
            scores = interpreter.run_many([inputs[start : start + BATCH, np.newaxis]])[0]
            labels = split.labels[start : start + BATCH]
            correct += int((scores.reshape(len(labels), -1).argmax(axis=1) == labels).sum())
            on_progress(start + len(labels), len(split))
    return Score(correct / len(split), len(split), None)


def score_on_board(model: Model, board: Board, split: Split, on_progress: OnProgress, port: str | None = None) -> Score:
    """Run the model on the board over `split`, and on this machine's interpreter to compare every output."""
    from tinynas.lab.evaluate import evaluate_on_board

    check_labels(model, split)
    found = evaluate_on_board(model.content, board, split.images, split.labels, on_progress, port=port)
    return Score(found.accuracy, found.images, found.images_identical_to_host)


def check_labels(model: Model, split: Split) -> None:
    """Raises DataError unless the model has a score for every class of the images."""
    classes = model.graph.tensors[model.graph.outputs[0]].elements
    largest = int(split.labels.max(initial=-1))
    if largest < 0:
        raise DataError("no images to evaluate in this split; give another --split")
    if largest >= classes:
        raise DataError(f"the data has a label {largest}, {model.path} only {classes} classes; give it its own data")
