"""All of a float graph's values at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinynas.graph.float_run import Floats, run_float_batches
from tinynas.graph.ir import Graph


def run_float(graph: Graph, samples: Floats, tensors: Sequence[int], batch: int = 32) -> list[Floats]:
    """`run_float_batches` end to end."""
    parts = list(run_float_batches(graph, samples, tensors, batch))
    return [np.concatenate(part) for part in zip(*parts, strict=True)]
