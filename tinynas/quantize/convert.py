"""Any model we can read -> a verified int8 `.tflite`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import ConfigError, ModelError, ToolError
from tinynas.graph.compare import first_difference
from tinynas.graph.fold import fold_constants
from tinynas.graph.interface import deployable
from tinynas.graph.ir import DType, Graph
from tinynas.graph.keras_reader import read_keras
from tinynas.graph.lower import bind, lower
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflite_writer import write_tflite
from tinynas.graph.tflm import TflmInterpreter
from tinynas.quantize.calibrate import collect_ranges
from tinynas.quantize.ptq import quantize
from tinynas.quantize.seeded import seeded_inputs

Pixels = NDArray[np.uint8]  # [n, h, w, c]


def convert(model: Path, images: Pixels | None) -> bytes:
    """The int8 `.tflite` of a `.keras` / `.h5` file, a `.tflite` or a checkpoint (`.npz`), run once to verify it.

    A network that is int8 already is given back unchanged. A float one takes pixel / 255; it is calibrated on
    `images`, which must have its input's height, width and channels (`input_shape`).
    Raises `ConfigError` without images for a float network, `ModelError` for what cannot be read or quantised.
    """
    graph = load_model(model)
    if not is_float(graph):
        deployable(graph, str(model))
        unchanged = model.read_bytes()
        verify(unchanged, read_tflite(unchanged), str(model))
        return unchanged
    if images is None:
        raise ConfigError(
            f"{model}: a float model needs calibration images to become int8; give --data DATA (a dataset or folder)"
        )
    return convert_graph(graph, images, str(model))


def load_model(path: Path) -> Graph:
    """The graph of a model file, by its suffix; shapes folded. Raises `ModelError` naming the suffixes it knows."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ModelError(f"{path}: unknown kind of model {path.suffix!r}; known: {', '.join(_READERS)}")
    if not path.is_file():
        raise ModelError(f"{path}: no such model file")
    return reader(path)


def is_float(graph: Graph) -> bool:
    """Whether the network itself computes in float, as opposed to int8 with float ends."""
    products = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    kinds = {graph.tensors[op.inputs[0]].dtype for op in graph.ops if op.kind in products}
    ends = {graph.tensors[i].dtype for i in (*graph.inputs, *graph.outputs)}
    return DType.FLOAT32 in (kinds or ends)


def input_shape(graph: Graph) -> tuple[int, int, int]:
    """Height, width and channels of the images that a network takes."""
    shapes = [graph.tensors[i].shape for i in graph.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][0] != 1:
        raise ModelError(
            f"the network takes {[list(s) for s in shapes]}, wanted one image [1, height, width, channels]"
        )
    _, height, width, channels = shapes[0]
    return height, width, channels


def convert_graph(graph: Graph, images: Pixels, name: str = "model") -> bytes:
    """Calibrate a float graph on images [n, h, w, c], quantise, write and verify it."""
    wanted = input_shape(graph)
    if images.dtype != np.uint8 or images.shape[1:] != wanted:
        raise ConfigError(
            f"{name}: takes uint8 images of {'x'.join(map(str, wanted))} (height x width x channels), the calibration "
            f"images are {images.dtype} {'x'.join(map(str, images.shape[1:]))}; load them at that size and colour"
        )
    ranges = collect_ranges(graph, images.astype(np.float32) / np.float32(255))
    quantised = quantize(graph, ranges)
    model = write_tflite(quantised)
    verify(model, quantised, name)
    return model


def verify(model: bytes, graph: Graph, name: str) -> None:
    """Check that `model` reads back as `graph` and that TFLite Micro runs it; raises `ModelError`."""
    if difference := first_difference(graph, read_tflite(model)):
        raise ModelError(f"{name}: the written file does not read back as the same network: {difference}")
    try:
        with TflmInterpreter(model) as interpreter:
            interpreter.run(seeded_inputs(graph, seed=0)[0])
    except ModelError as error:
        raise ModelError(
            f"{name}: TFLite Micro does not run the int8 network: {error}; a network that was never trained, or "
            "whose activations are all near zero, does that"
        ) from error


def _read_flatbuffer(path: Path) -> Graph:
    return fold_constants(read_tflite(path))


def _read_checkpoint(path: Path) -> Graph:
    """Our own networks; torch is needed to fold their BatchNorm."""
    try:
        from tinynas.nets.checkpoint import load_network
    except ImportError as error:
        raise ToolError(f"{path}: reading a checkpoint needs torch ({error}); pip install 'tinynas[train]'") from error

    network = load_network(path)
    return bind(lower(network.spec, DType.FLOAT32), network.folded_weights())


_READERS: dict[str, Callable[[Path], Graph]] = {
    ".tflite": _read_flatbuffer,
    ".keras": read_keras,
    ".h5": read_keras,
    ".npz": _read_checkpoint,
}
