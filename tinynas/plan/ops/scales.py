"""Ops whose kernels move or compare values as they are: all operands and the result must mean the same by a byte."""

from __future__ import annotations

from tinynas.graph.ir import Graph, Op


def unequal_scales(graph: Graph, op: Op) -> str | None:
    """Why the op needs rescaling, None if it does not; tensors without quantisation are not looked at."""
    quants = [graph.tensors[i].quant for i in (*op.inputs, *op.outputs) if i >= 0]
    known = {(float(q.scale[0]), int(q.zero_point[0])) for q in quants if q is not None}
    return "operands and result differ in scale or zero point; wanted one for all" if len(known) > 1 else None
