"""Reads the MODEL of a command, with errors that name the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tinynas.errors import ModelError

if TYPE_CHECKING:
    from tinynas.graph.ir import Graph


@dataclass(frozen=True)
class Model:
    """An int8 model file: its bytes, and the graph that boards run (float ends stripped)."""

    path: Path
    content: bytes
    graph: Graph


def read_model(path: Path) -> Model:
    """The int8 model in `path`.

    Raises:
        ModelError: missing, truncated or float file, or an op that nothing here knows; the file is named.
    """
    from tinynas.graph.interface import deployable
    from tinynas.graph.tflite_reader import read_tflite

    graph = read_tflite(path)
    try:
        inner = deployable(graph, str(path))
    except ModelError as error:
        raise error if str(path) in str(error) else ModelError(f"{path}: {error}") from error
    return Model(path, path.read_bytes(), inner)
