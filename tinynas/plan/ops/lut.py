"""Ops that are a function of one int8 value: a table of 256."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Array, Isa, Kernel, Value, in_place, register
from tinynas.plan.ops.lut_functions import FUNCTIONS


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_lut_params."""
    x, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    function = FUNCTIONS[op.kind](x, output, op.attrs)
    return {"table": np.array([function(q) for q in range(-128, 128)], np.int8), "elements": x.elements}


def layout(graph: Graph, op: Op) -> tuple[Array, ...]:
    """One table."""
    del graph, op
    return (Array("table", "int8_t", 256),)


def refuses(graph: Graph, op: Op) -> str | None:
    """Nothing: any shape, int8."""
    del graph, op
    return None


_kernel = partial(
    Kernel,
    ops=tuple(FUNCTIONS),
    params="tn_lut_params",
    params_bytes=8,
    pack=pack,
    refuses=refuses,
    layout=layout,
    lead_bytes=in_place,
)
register(_kernel(name="lut_s8", header="tn_lut.h"))
register(_kernel(name="lut_mve_s8", header="tn_lut_mve.h", isa=Isa.MVE))
