"""TensorFlow Lite's reference kernels (BUILTIN_REF), a second opinion beside TFLite Micro."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.child import Child
from tinynas.graph.child_interpreter import ChildInterpreter

_TENSORFLOW_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}


class ReferenceInterpreter(ChildInterpreter):
    """One int8 model in TensorFlow's reference kernels, in a child process (they abort on some models).

    Raises `ToolError` if TensorFlow is not installed, `ModelError` if it refuses the model or dies of it.
    """

    def __init__(self, model: bytes, timeout_s: float = 300.0) -> None:
        child = Child("tinynas.graph.tensorflow_child", _TENSORFLOW_QUIET)
        super().__init__("TensorFlow's reference kernels", model, child, child.close, timeout_s)
        try:
            self._load(model, {})
        except BaseException:
            self.close()
            raise


def run_reference_kernels(model: bytes, inputs: Sequence[NDArray[np.int8]]) -> list[NDArray[np.int8]]:
    """n inferences as `TflmInterpreter.run_many`: each input [n, *tensor shape], each output too."""
    with ReferenceInterpreter(model) as interpreter:
        return interpreter.run_many(inputs)
