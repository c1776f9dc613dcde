"""Small int8 networks with random weights, through the project's own lowering, quantiser and writer."""

from __future__ import annotations

import numpy as np

from tinynas.graph.ir import DType
from tinynas.graph.lower import bind, lower
from tinynas.graph.tflite_writer import write_tflite
from tinynas.quantize.calibrate import collect_ranges
from tinynas.quantize.ptq import quantize
from tinynas.space.netspec import BlockSpec, NetSpec

SIDE = 16  # input height = width, pixels


def small_net(seed: int, channels: int = 8, side: int = SIDE) -> bytes:
    """A .tflite of two inverted residuals on side x side grey images, two classes."""
    stages = ((BlockSpec(8, 16, channels, 3, 2), BlockSpec(channels, 2 * channels, channels, 3, 1)),)
    graph = lower(NetSpec((side, side, 1), 2, 8, 2, stages, 16), DType.FLOAT32)
    rng = np.random.default_rng(seed)
    empty = (t for t in graph.tensors if t.const and t.data is None)
    weights = {t.name: rng.normal(0, 0.3, t.shape).astype(np.float32) for t in empty}
    bound = bind(graph, weights)
    samples = rng.random((4, side, side, 1), np.float32)
    return write_tflite(quantize(bound, collect_ranges(bound, samples)))
