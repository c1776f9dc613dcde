"""MAXIMUM and MINIMUM."""

from __future__ import annotations

from collections.abc import Mapping

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Kernel, Value, in_place, register
from tinynas.plan.ops import binary
from tinynas.plan.ops.scales import unequal_scales


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_extremum_params."""
    return {"shape": binary.broadcast_fields(graph, op), "sign": 1 if op.kind == "MAXIMUM" else -1}


def refuses(graph: Graph, op: Op) -> str | None:
    """Operands of unequal scales, which TFLite's kernel compares as they are."""
    return binary.refuses(graph, op) or unequal_scales(graph, op)


register(
    Kernel(
        name="extremum_s8",
        ops=("MAXIMUM", "MINIMUM"),
        header="tn_extremum.h",
        params="tn_extremum_params",
        params_bytes=44,
        pack=pack,
        refuses=refuses,
        lead_bytes=in_place,
        operands=2,
    )
)
