"""AVERAGE_POOL_2D on Helium."""

from __future__ import annotations

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Isa, Kernel, register
from tinynas.plan.ops import pool
from tinynas.plan.window import not_one_image, window_lead, window_of

MOST_ELEMENTS = 4096  # of a window, see tn_avg_pool_mve_s8.c


def refuses(graph: Graph, op: Op) -> str | None:
    """Windows too large for the division."""
    if reason := not_one_image(graph, op):
        return reason
    height, width = window_of(graph, op).kernel
    return f"windows of {height} x {width}; wanted at most {MOST_ELEMENTS}" if height * width > MOST_ELEMENTS else None


register(
    Kernel(
        name="avg_pool_mve_s8",
        ops=("AVERAGE_POOL_2D",),
        header="tn_pool_mve.h",
        params="tn_pool_params",
        params_bytes=20,
        pack=pool.pack,
        refuses=refuses,
        lead_bytes=window_lead,
        isa=Isa.MVE,
    )
)
