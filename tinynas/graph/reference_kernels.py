"""TensorFlow Lite's reference kernels (BUILTIN_REF), a second opinion beside TFLite Micro."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.child import Worker
from tinynas.graph.child_interpreter import ChildInterpreter


class TensorFlowWorker(Worker):
    """A child process that owns TensorFlow, which takes seconds to import; quiet, and on the CPU."""

    def __init__(self) -> None:
        super().__init__("tinynas.graph.tensorflow_child", {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""})


class ReferenceInterpreter(ChildInterpreter):
    """One int8 model in TensorFlow's reference kernels, in a child process (they abort on some models).

    `worker` shares one child between models; only the interpreter made last on it may be used.
    Raises `ToolError` if TensorFlow is not installed, `ModelError` if it refuses the model or dies of it.
    """

    def __init__(self, model: bytes, *, worker: TensorFlowWorker | None = None, timeout_s: float = 300.0) -> None:
        used = worker or TensorFlowWorker()
        super().__init__("TensorFlow's reference kernels", model, used, worker is None, timeout_s)
        try:
            self._load(model, {})
        except BaseException:
            self.close()
            raise


def run_reference_kernels(
    model: bytes, inputs: Sequence[NDArray[np.int8]], worker: TensorFlowWorker | None = None
) -> list[NDArray[np.int8]]:
    """n inferences as `TflmInterpreter.run_many`: each input [n, *tensor shape], each output too.

    These kernels round FULLY_CONNECTED's rescaling once where TFLite Micro rounds twice (TensorFlow 2.21): about one
    value in 200 then differs by 1. Everything else agrees to the byte.
    """
    with ReferenceInterpreter(model, worker=worker) as interpreter:
        return interpreter.run_many(inputs)
