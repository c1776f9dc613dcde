"""A trained network to int8: BatchNorm folded, calibrated on training images, quantised, written as `.tflite`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinynas.data.images import at_resolution
from tinynas.data.types import Split
from tinynas.graph.ir import DType
from tinynas.graph.lower import bind, lower
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflite_writer import write_tflite
from tinynas.graph.tflm import TflmInterpreter
from tinynas.lab.evaluate import pixels_to_int8
from tinynas.nets.network import Network
from tinynas.quantize.calibrate import collect_ranges
from tinynas.quantize.ptq import quantize

_BATCH = 100  # images per request to the interpreter, which has a time limit each


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
    """Fraction of `split` that the int8 model labels right in the TFLite Micro interpreter on the host."""
    with TflmInterpreter(model) as interpreter:
        side = interpreter.ends.inputs[0].shape[1]
        inputs = pixels_to_int8(at_resolution(split.images, side), split.labels, read_tflite(model))
        parts = np.array_split(inputs[:, np.newaxis], max(1, len(inputs) // _BATCH))
        scores = np.concatenate([interpreter.run_many([part])[0] for part in parts])
    return float((scores.reshape(len(split), -1).argmax(1) == split.labels).mean())
