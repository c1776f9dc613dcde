"""TensorFlow Lite's reference kernels (BUILTIN_REF), a second opinion beside TFLite Micro."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.child import Worker
from tinynas.graph.child_interpreter import ChildInterpreter
from tinynas.graph.keras_reader import QUIET

_ROOT = Path(__file__).parents[2]  # where the child finds `tests`


class TensorFlowWorker(Worker):
    """A child process that owns TensorFlow, which takes seconds to import."""

    def __init__(self) -> None:
        super().__init__("tests.graph.reference_child", {**QUIET, "PYTHONPATH": str(_ROOT)})


class ReferenceInterpreter(ChildInterpreter):
    """One int8 model in TensorFlow's reference kernels, on a lent worker: they abort on some models."""

    def __init__(self, model: bytes, worker: TensorFlowWorker) -> None:
        super().__init__("TensorFlow's reference kernels", model, worker, False, 300.0)
        self._load(model, {})


def run_reference_kernels(
    model: bytes, inputs: Sequence[NDArray[np.int8]], worker: TensorFlowWorker
) -> list[NDArray[np.int8]]:
    """n inferences as `TflmInterpreter.run_many`: each input [n, *tensor shape], each output too.

    These kernels round FULLY_CONNECTED's rescaling once where TFLite Micro rounds twice (TensorFlow 2.21): about one
    value in 200 then differs by 1. Everything else agrees to the byte.
    """
    with ReferenceInterpreter(model, worker) as interpreter:
        return interpreter.run_many(inputs)
