"""AVERAGE_POOL_2D over the whole input on the DSP extension."""

from __future__ import annotations

from tinynas.graph.ir import Graph, Op
from tinynas.plan.kernels import Isa, Kernel, register
from tinynas.plan.ops import pool
from tinynas.plan.window import not_one_image, window_of


def refuses(graph: Graph, op: Op) -> str | None:
    """Any window but the whole input, and channels that do not come by the four."""
    if reason := not_one_image(graph, op):
        return reason
    window = window_of(graph, op)
    height, width, channels = window.in_shape
    if (window.out_shape[:2], window.kernel, window.pad) != ((1, 1), (height, width), (0, 0)):
        return f"kernel {window.kernel} on {height}x{width}; wanted the whole input"
    return f"{channels} channels; wanted a multiple of 4" if channels % 4 else None


def lead_bytes(graph: Graph, op: Op, position: int) -> int | None:
    """Four channels are written when their pixels have been read; earlier bytes are of channels that are done."""
    del graph, op
    return 0 if position == 0 else None


register(
    Kernel(
        name="avg_pool_all_dsp_s8",
        ops=("AVERAGE_POOL_2D",),
        header="tn_pool_dsp.h",
        params="tn_pool_params",
        params_bytes=20,
        pack=pool.pack,
        refuses=refuses,
        lead_bytes=lead_bytes,
        isa=Isa.DSP,
    )
)
