"""Equality of graphs: `Graph` holds arrays, so `==` would not do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.ir import Graph, Quant, Tensor


def first_difference(a: Graph, b: Graph) -> str | None:
    """What differs first between two graphs, None if they are the same (metadata aside)."""
    for what in ("name", "inputs", "outputs", "ops"):
        if getattr(a, what) != getattr(b, what):
            return f"{what}: {getattr(a, what)} != {getattr(b, what)}"
    if len(a.tensors) != len(b.tensors):
        return f"{len(a.tensors)} tensors != {len(b.tensors)}"
    differing = (i for i, pair in enumerate(zip(a.tensors, b.tensors, strict=True)) if not _same_tensor(*pair))
    index = next(differing, None)
    return None if index is None else f"tensor {index}: {a.tensors[index]} != {b.tensors[index]}"


def _same_tensor(a: Tensor, b: Tensor) -> bool:
    plain = (a.name, a.shape, a.dtype, a.const) == (b.name, b.shape, b.dtype, b.const)
    return plain and _same_quant(a.quant, b.quant) and _same_array(a.data, b.data)


def _same_quant(a: Quant | None, b: Quant | None) -> bool:
    if a is None or b is None:
        return a is b
    return a.axis == b.axis and np.array_equal(a.scale, b.scale) and np.array_equal(a.zero_point, b.zero_point)


def _same_array(a: NDArray[np.generic] | None, b: NDArray[np.generic] | None) -> bool:
    if a is None or b is None:
        return a is b
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
