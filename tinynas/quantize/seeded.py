"""The seeded inputs on which every bit-exactness check compares two implementations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.interface import strip_float_ends
from tinynas.graph.ir import Graph


def seeded_inputs(graph: Graph, seed: int, n: int = 1) -> list[list[NDArray[np.int8]]]:
    """`n` input sets, each one int8 array per graph input, uniform over [-128, 127], from numpy's default_rng(seed).

    Float inputs are drawn at their int8 side (`strip_float_ends`), so a file and its stripped graph get the same
    bytes. The first k of n sets are those of n = k.
    """
    rng = np.random.default_rng(seed)
    inner = strip_float_ends(graph)
    shapes = [inner.tensors[i].shape for i in inner.inputs]
    return [[rng.integers(-128, 128, shape, np.int8) for shape in shapes] for _ in range(n)]
