"""A trained network to int8: BatchNorm folded, calibrated on training images, quantised, written as `.tflite`."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from tinynas.data.images import at_resolution
from tinynas.data.types import Split
from tinynas.engine.compile_host import host_compiler
from tinynas.engine.host import HostModel
from tinynas.errors import ToolError
from tinynas.graph.ir import DType, Graph
from tinynas.graph.lower import bind, lower
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflite_writer import write_tflite
from tinynas.graph.tflm import TflmInterpreter
from tinynas.lab.evaluate import pixels_to_int8
from tinynas.nets.network import Network
from tinynas.quantize.calibrate import collect_ranges
from tinynas.quantize.ptq import quantize

_BATCH = 100  # images per request to the interpreter, which has a time limit each
_COMPARED = 50  # images of which the engine's outputs must be the interpreter's


def int8_model(network: Network, images: NDArray[np.uint8]) -> bytes:
    """The int8 `.tflite` of `network`, calibrated on images (n, h, w, c) of any size."""
    graph = bind(lower(network.spec, DType.FLOAT32), network.folded_weights())
    samples = at_resolution(images, network.spec.input_shape[0]).astype(np.float32) / np.float32(255)
    return write_tflite(quantize(graph, collect_ranges(graph, samples)))


def calibration_images(train: Split, count: int, seed: int) -> NDArray[np.uint8]:
    """`count` distinct images of the training split, drawn from `seed`; all of them if there are no more."""
    chosen = np.random.default_rng(seed).permutation(len(train))[:count]
    return train.images[np.sort(chosen)]


def int8_accuracy(model: bytes, split: Split) -> float:
    """Fraction of `split` that the int8 model labels right, on the host.

    Where there is a C compiler the engine's kernels compute it, in a third of TFLite Micro's time; that one is then
    asked about the first images.

    Raises:
        ToolError: the two differ on one of those.
    """
    graph = read_tflite(model)
    side = graph.tensors[graph.inputs[0]].shape[1]
    inputs = pixels_to_int8(at_resolution(split.images, side), split.labels, graph)[:, np.newaxis]
    with TflmInterpreter(model) as interpreter:
        engine = _engine(graph)
        scores = _scores(engine or interpreter, inputs)
        if engine and not np.array_equal(scores[:_COMPARED], _scores(interpreter, inputs[:_COMPARED])):
            raise ToolError(
                f"model {hashlib.sha256(model).hexdigest()[:12]}: the engine's outputs on the host are not TFLite "
                f"Micro's on the first {_COMPARED} images; see `tinynas profile --check`"
            )
    return float((scores.argmax(1) == split.labels).mean())


def _engine(graph: Graph) -> HostModel | None:
    """None without a C compiler."""
    try:
        host_compiler()
    except ToolError:
        return None
    return HostModel(graph)


def _scores(model: HostModel | TflmInterpreter, inputs: NDArray[np.int8]) -> NDArray[np.int8]:
    """(n, classes)"""
    parts = np.array_split(inputs, max(1, len(inputs) // _BATCH))
    return np.concatenate([model.run_many([part])[0] for part in parts]).reshape(len(inputs), -1)
