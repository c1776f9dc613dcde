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
OnProgress = Callable[[int], None]  # takes the number of images done since the last call


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

    check_labels(model, split)
    correct = 0
    with TflmInterpreter(model.content) as interpreter:
        for start in range(0, len(split), BATCH):
            images = split.images[start : start + BATCH]
            pixels = (images.astype(np.int16) - 128).astype(np.int8)
            scores = interpreter.run_many([pixels[:, np.newaxis]])[0].reshape(len(images), -1)
            correct += int((scores.argmax(axis=1) == split.labels[start : start + BATCH]).sum())
            on_progress(len(images))
    return Score(correct / len(split), len(split), None)


def check_labels(model: Model, split: Split) -> None:
    """Raises DataError if the images' labels go past the model's classes, or there are no images."""
    classes = model.graph.tensors[model.graph.outputs[0]].elements
    if len(split) == 0:
        raise DataError("no images to evaluate in this split; give another --split")
    if int(split.labels.max()) >= classes:
        raise DataError(
            f"the data has a label {int(split.labels.max())}, the model only {classes} classes; give its own data"
        )


def score_on_board(model: Model, board: Board, split: Split, port: str | None, on_progress: OnProgress) -> Score:
    """Run the model on the board over `split`, and on this machine's interpreter to compare every output."""
    raise NotImplementedError
