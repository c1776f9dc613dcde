"""Running float graphs fast: our own `.tflite` in LiteRT, whole batches at a time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import ModelError
from tinynas.graph.ir import DType, Graph, Tensor
from tinynas.graph.tflite_writer import write_tflite

Floats = NDArray[np.float32]
_THREADS = 2


def run_float_batches(graph: Graph, samples: Floats, tensors: Sequence[int], batch: int = 32) -> Iterator[list[Floats]]:
    """Values [n, ...] of `tensors` (indices, inner ones too) for samples [n, h, w, c] of a one-input float graph.

    Batch by batch, as the inner values of a network may not fit into memory at once.
    A graph whose tensors cannot all carry a batch in front (it moves or reduces axis 0) runs one sample at a time.
    """
    _check_input(graph, samples)
    if not len(samples):
        raise ModelError("no samples to run the network on")
    batched = min(batch, len(samples)) if _takes_batches(graph, tensors) else 1
    runner, size = None, 0
    for start in range(0, len(samples), batched):
        part = samples[start : start + batched]
        if runner is None or size != len(part):
            runner, size = _Runner(_with_outputs(graph, tensors, len(part))), len(part)
        yield runner.run(part)


def _check_input(graph: Graph, samples: Floats) -> None:
    if len(graph.inputs) != 1:
        raise ModelError(f"the network has {len(graph.inputs)} inputs, wanted 1")
    tensor = graph.tensors[graph.inputs[0]]
    if tensor.dtype is not DType.FLOAT32:
        raise ModelError(f"input {tensor.name!r} is {tensor.dtype}, wanted a float network")
    if samples.dtype != np.float32 or samples.shape[1:] != tensor.shape[1:]:
        raise ModelError(
            f"input {tensor.name!r} takes float32 {list(tensor.shape[1:])}, "
            f"found samples of {samples.dtype} {list(samples.shape[1:])}"
        )


def _takes_batches(graph: Graph, tensors: Sequence[int]) -> bool:
    """Whether two samples at once give outputs of twice the leading size: LiteRT computes all shapes itself."""
    if any(t.shape[:1] != (1,) for t in graph.tensors if not t.const):
        return False
    try:
        shapes = _Runner(_with_outputs(graph, tensors, 2)).output_shapes()
    except ModelError:  # if it is not the batch that LiteRT refuses, it says so again for one sample
        return False
    return shapes == [(2, *graph.tensors[i].shape[1:]) for i in tensors]


def _with_outputs(graph: Graph, tensors: Sequence[int], batch: int) -> Graph:
    """The graph with `tensors` as its outputs, so that XNNPACK keeps them, and `batch` in front of its values."""
    shapes = {op.inputs[1] for op in graph.ops if op.kind == "RESHAPE" and len(op.inputs) > 1}
    changed = {i: _batched(t, batch, i in shapes) for i, t in enumerate(graph.tensors)}
    return replace(graph.with_tensors(changed), outputs=tuple(tensors))


def _batched(tensor: Tensor, batch: int, is_shape: bool) -> Tensor:
    if is_shape and tensor.data is not None and tensor.data.size and tensor.data.flat[0] == 1:
        return replace(tensor, data=np.array([batch, *tensor.data[1:]], np.int32))
    if tensor.const or tensor.shape[:1] != (1,):
        return tensor
    return replace(tensor, shape=(batch, *tensor.shape[1:]))


class _Runner:
    """A LiteRT interpreter of one graph at one batch size."""

    def __init__(self, graph: Graph) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            with _quiet_stderr():
                self.interpreter: Any = Interpreter(model_content=write_tflite(graph), num_threads=_THREADS)
                self.interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"LiteRT refuses the float network: {' '.join(str(error).split())}") from error
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.outputs = self.interpreter.get_output_details()

    def output_shapes(self) -> list[tuple[int, ...]]:
        return [tuple(int(side) for side in detail["shape"]) for detail in self.outputs]

    def run(self, samples: Floats) -> list[Floats]:
        self.interpreter.set_tensor(self.input, samples)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(detail["index"]) for detail in self.outputs]


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """LiteRT announces its delegate on file descriptor 2, amid progress bars, and has no setting against it."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - os.devnull is a name, not a path of ours
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
