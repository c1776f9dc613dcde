"""What firmware/platformio.ini needs of tinynas: the model as a library, generated for the environment's board."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tinynas.engine.generate import Generated, generate
from tinynas.errors import ModelError, StoreError
from tinynas.graph.tflite_reader import read_tflite
from tinynas.lab.board import Board
from tinynas.plan.planner import plan

_LIBRARY = {
    "name": "model",
    "version": "0.1.0",
    "description": "Generated from a .tflite",
    "build": {"includeDir": ".", "srcDir": ".", "libArchive": False},
}


def generate_model(model: Path, board: Board, folder: Path) -> int:
    """Writes `model`, generated for the board's core, as a PlatformIO library into `folder`; returns its arena_bytes.

    Raises:
        ModelError: no such file, or not an int8 model that the engine can run.
        StoreError: `folder` cannot be written.
    """
    try:
        content = model.read_bytes()
    except OSError as error:
        raise ModelError(f"{model}: {error.strerror}; wanted an int8 .tflite") from error
    graph = read_tflite(content)
    generated = generate(graph, plan(graph, board.core), sha256=hashlib.sha256(content).hexdigest())
    write_library(generated, folder)
    return generated.arena_bytes


def write_library(generated: Generated, folder: Path) -> None:
    """Makes `folder` a PlatformIO library of `generated`, and nothing else.

    Raises:
        StoreError: `folder` cannot be written.
    """
    _write({**generated.files, "library.json": json.dumps(_LIBRARY, indent=2).encode()}, folder)


def _write(files: dict[str, bytes], folder: Path) -> None:
    """Makes `files` the content of `folder`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stale in {path.name for path in folder.iterdir()} - files.keys():
            (folder / stale).unlink()
        for name, content in files.items():
            (folder / name).write_bytes(content)  # SCons compares contents, not times
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror}; free some space") from error
