"""Stage 11: the chosen network on the board over the whole test split, and what each of its ops takes there."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.data.images import at_resolution
from tinynas.data.types import Dataset
from tinynas.engine.generate import generate
from tinynas.graph.tflite_reader import read_tflite
from tinynas.lab.board import Board
from tinynas.lab.build import build_image
from tinynas.lab.evaluate import evaluate_on_board
from tinynas.lab.image_makers import image_makers
from tinynas.lab.measure import build_model
from tinynas.lab.session import open_board
from tinynas.pipeline.context import Context
from tinynas.pipeline.files import read_json, write_json
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.plan.planner import plan

_VERSION = 1
_PART = 250  # images that are evaluated in one go, and not again after a kill


@dataclass(frozen=True)
class OnBoard:
    """The chosen network as the board runs it."""

    accuracy: float
    images: int
    images_identical_to_host: int
    folder: Path  # profile.json, firmware.elf, firmware.json


def evaluate_chosen(context: Context, data: Dataset, model: bytes) -> OnBoard:
    """Every test image through the board, each output compared with the host's int8 interpreter."""
    settings = {
        "model": hashlib.sha256(model).hexdigest(),
        "data": data.sha256,
        "board": context.board.model_dump(mode="json"),
        **image_makers(context.board),
    }
    key = StageKey("onboard", _VERSION, settings)
    output = context.stage(key, lambda folder: _evaluate(context, data, model, folder))
    return _load(output)


def _evaluate(context: Context, data: Dataset, model: bytes, folder: Path) -> None:
    graph = read_tflite(model)
    images = at_resolution(data.test.images, graph.tensors[graph.inputs[0]].shape[1])
    context.progress.begin("onboard", "test images classified on the board", len(images))
    parts = [_part(context, model, images, data, first, folder) for first in range(0, len(images), _PART)]
    total = {name: sum(part[name] for part in parts) for name in ("correct", "images", "images_identical_to_host")}
    accuracy = total["correct"] / total["images"]
    write_json(folder / "onboard.json", {**total, "accuracy": accuracy})
    write_json(folder / "profile.json", _profile(context, model))
    _keep_firmware(model, context.board, folder)
    same = total["images_identical_to_host"]
    context.progress.end(f"accuracy {accuracy:.1%}; outputs of {same} of {len(images)} images as on the host")


def _part(
    context: Context, model: bytes, images: NDArray[np.uint8], data: Dataset, first: int, folder: Path
) -> dict[str, int]:
    """Counts of the images from `first` on, evaluated now or before the run was stopped."""
    path = folder / f"part{first}.json"
    if not path.exists():
        part = slice(first, first + _PART)
        found = evaluate_on_board(
            model,
            context.board,
            images[part],
            data.test.labels[part],
            lambda done, _: context.progress.advance(first + done),
            boards=context.workers,
            port=context.port,
            on_busy=context.meter.device,
        )
        write_json(path, {"correct": round(found.accuracy * found.images), **asdict(found)})
    counts: dict[str, int] = read_json(path)
    return counts


def _profile(context: Context, model: bytes) -> list[dict[str, object]]:
    """Instructions and time of every op, from an image that marks them."""
    graph, board = read_tflite(model), context.board
    image = build_image(generate(graph, plan(graph, board.core)), board, profile=True)
    with open_board(board, port=context.port) as session:
        session.flash(image)
        ops = [asdict(op) for op in session.profile()]
        context.meter.device(session.busy_s)
    return ops


def _keep_firmware(model: bytes, board: Board, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="tinynas-image-") as scratch:
        image = build_model(model, board, Path(scratch) / "image").image
        shutil.copyfile(image.elf, folder / "firmware.elf")
    write_json(folder / "firmware.json", {name: value for name, value in asdict(image).items() if name != "elf"})


def _load(output: Output) -> OnBoard:
    found = read_json(output.folder / "onboard.json")
    return OnBoard(found["accuracy"], found["images"], found["images_identical_to_host"], output.folder)
