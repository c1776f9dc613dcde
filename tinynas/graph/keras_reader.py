"""Keras files -> float `Graph`, through TensorFlow's own converter in a child process."""

from __future__ import annotations

from pathlib import Path

from tinynas.errors import ModelError
from tinynas.graph.child import Message
from tinynas.graph.fold import fold_constants
from tinynas.graph.ir import Graph
from tinynas.graph.reference_kernels import TensorFlowWorker
from tinynas.graph.tflite_reader import read_tflite


def read_keras(path: Path, timeout_s: float = 600.0) -> Graph:
    """The float graph of a `.keras` or `.h5` file with one input of fixed size.

    Raises `ModelError` if Keras cannot load or convert it, `ToolError` if TensorFlow is not installed.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such model file")
    with TensorFlowWorker() as worker:
        answer = worker.child().ask(Message({"ask": "keras", "path": str(path)}), timeout_s, str(path))
    return fold_constants(read_tflite(answer.arrays[0].tobytes()))
