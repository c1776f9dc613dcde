"""Ranges of a float network's values over calibration samples."""

from __future__ import annotations

import numpy as np

from tinynas.graph.float_run import Floats, run_float_batches
from tinynas.graph.ir import DType, Graph

Ranges = dict[int, tuple[float, float]]  # tensor index -> (smallest, largest) value


def collect_ranges(graph: Graph, samples: Floats) -> Ranges:
    """Smallest and largest value of every float tensor that is not a constant, over samples [n, h, w, c].

    The plain extremes, as TensorFlow's converter takes them: on trained MobileNet-like nets with ReLU6, percentiles
    (99.99, 99.9) and ranges of least squared error gave no better accuracy, 99.9 a clearly worse output.
    """
    values = [i for i, t in enumerate(graph.tensors) if not t.const and t.dtype is DType.FLOAT32]
    computed = {*graph.inputs, *(i for op in graph.ops for i in op.outputs)}
    wanted = [i for i in values if i in computed]
    lows = np.full(len(wanted), np.inf)
    highs = np.full(len(wanted), -np.inf)
    for batch in run_float_batches(graph, samples, wanted):
        lows = np.minimum(lows, [part.min() for part in batch])
        highs = np.maximum(highs, [part.max() for part in batch])
    return {index: (float(lows[k]), float(highs[k])) for k, index in enumerate(wanted)}
