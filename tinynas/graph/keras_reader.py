"""Keras files -> float `Graph`, through TensorFlow's own converter in a child process."""

from __future__ import annotations

from pathlib import Path

from tinynas.errors import ModelError
from tinynas.graph.child import Message, Worker
from tinynas.graph.fold import fold_constants
from tinynas.graph.ir import Graph
from tinynas.graph.tflite_reader import read_tflite

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}  # TensorFlow: few words, and on the CPU


def read_keras(path: Path, timeout_s: float = 600.0) -> Graph:
    """The float graph of a `.keras` or `.h5` file with one input of fixed size.

    Raises `ModelError` if Keras cannot load or convert it, `ToolError` if TensorFlow is not installed.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such model file")
    with Worker("tinynas.graph.keras_child", QUIET) as worker:
        answer = worker.child().ask(Message({"path": str(path)}), timeout_s, str(path))
    return fold_constants(read_tflite(answer.arrays[0].tobytes()))
