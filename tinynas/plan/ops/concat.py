"""CONCATENATION and PACK."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tinynas.graph.ir import Graph, Op
from tinynas.graph.ops import Activation, Concatenation, Pack
from tinynas.plan.kernels import Array, Kernel, Value, register
from tinynas.plan.ops.scales import unequal_scales


def layout(graph: Graph, op: Op) -> tuple[Array, ...]:
    """One length per input."""
    del graph
    return (Array("bytes", "uint32_t", len(op.inputs)),)


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_concat_params; PACK joins along a new axis."""
    assert isinstance(op.attrs, Concatenation | Pack)
    shape = graph.tensors[op.outputs[0]].shape
    axis = op.attrs.axis % len(shape)
    outer = math.prod(shape[:axis])
    lengths = [graph.tensors[i].elements // outer for i in op.inputs]
    return {"bytes": np.array(lengths, np.uint32), "outer": outer, "inputs": len(op.inputs)}


def refuses(graph: Graph, op: Op) -> str | None:
    """Fused activations, which TFLite's kernel does not apply either, and operands that would have to be rescaled."""
    if isinstance(op.attrs, Concatenation) and op.attrs.activation is not Activation.NONE:
        return f"fused activation {op.attrs.activation}; wanted none"
    return unequal_scales(graph, op)


register(
    Kernel(
        name="concat_s8",
        ops=("CONCATENATION", "PACK"),
        header="tn_concat.h",
        params="tn_concat_params",
        params_bytes=12,
        pack=pack,
        refuses=refuses,
        layout=layout,
        operands=None,
    )
)
