"""CONCATENATION."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tinynas.graph.ir import Graph, Op
from tinynas.graph.ops import Activation, Concatenation
from tinynas.plan.kernels import Array, Kernel, Value, register


def layout(graph: Graph, op: Op) -> tuple[Array, ...]:
    """One length per input."""
    del graph
    return (Array("bytes", "uint32_t", len(op.inputs)),)


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_concat_params."""
    assert isinstance(op.attrs, Concatenation)
    shape = graph.tensors[op.outputs[0]].shape
    axis = op.attrs.axis % len(shape)
    lengths = [math.prod(graph.tensors[i].shape[axis:]) for i in op.inputs]
    return {"bytes": np.array(lengths, np.uint32), "outer": math.prod(shape[:axis]), "inputs": len(op.inputs)}


def refuses(graph: Graph, op: Op) -> str | None:
    """Fused activations and inputs of unequal quantisation, which TFLite's kernel does not rescale either."""
    assert isinstance(op.attrs, Concatenation)
    del graph
    return None if op.attrs.activation is Activation.NONE else f"fused activation {op.attrs.activation}"


register(
    Kernel(
        name="concat_s8",
        ops=("CONCATENATION",),
        header="tn_concat.h",
        params="tn_concat_params",
        params_bytes=12,
        pack=pack,
        refuses=refuses,
        layout=layout,
        operands=None,
    )
)
