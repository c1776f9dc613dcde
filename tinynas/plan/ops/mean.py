"""MEAN over one axis or several neighbouring axes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tinynas.graph.ir import Graph, Op
from tinynas.plan.fixed_point import quantize_multiplier, scale_of, zero_point_of
from tinynas.plan.kernels import Kernel, Value, constant, register


def axes_of(graph: Graph, op: Op) -> tuple[int, ...]:
    """Averaged axes, sorted, counted from the first."""
    rank = len(graph.tensors[op.inputs[0]].shape)
    given = np.atleast_1d(constant(graph.tensors[op.inputs[1]]))
    return tuple(sorted({int(axis) % rank for axis in given}))


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_mean_params (QuantizedMeanOrSum, tflite reference/reduce.h: 1 / count joins the multiplier)."""
    x, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    axes = axes_of(graph, op)
    count = math.prod(x.shape[axis] for axis in axes)
    multiplier, shift = quantize_multiplier(scale_of(x) / scale_of(output))
    spare = min(count.bit_length() - 1, 32, 31 + shift)
    return {
        "outer": math.prod(x.shape[: axes[0]]),
        "count": count,
        "inner": math.prod(x.shape[axes[-1] + 1 :]),
        "multiplier": (multiplier << spare) // count,
        "shift": shift - spare,
        "in_zp": zero_point_of(x),
        "out_zp": zero_point_of(output),
    }


def refuses(graph: Graph, op: Op) -> str | None:
    """Axes that are computed, or not neighbours."""
    if not graph.tensors[op.inputs[1]].const:
        return "the axes of MEAN must be constant"
    axes = axes_of(graph, op)
    if not axes or axes != tuple(range(axes[0], axes[-1] + 1)):
        return f"MEAN over axes {list(axes)}; wanted neighbouring axes"
    return None


def lead_bytes(graph: Graph, op: Op, position: int) -> int | None:
    """Output j of a slice is written after every input that only j needs; later ones lie behind it."""
    del graph, op
    return 0 if position == 0 else None


register(
    Kernel(
        name="mean_s8",
        ops=("MEAN",),
        header="tn_mean.h",
        params="tn_mean_params",
        params_bytes=20,
        pack=pack,
        refuses=refuses,
        lead_bytes=lead_bytes,
    )
)
