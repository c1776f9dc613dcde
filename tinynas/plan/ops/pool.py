"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from __future__ import annotations

from collections.abc import Mapping

from tinynas.graph.ir import Graph, Op
from tinynas.graph.ops import Pool2D
from tinynas.plan.fixed_point import activation_range
from tinynas.plan.kernels import Kernel, Value, register
from tinynas.plan.ops.scales import unequal_scales
from tinynas.plan.window import not_one_image, window_lead, window_of


def pack(graph: Graph, op: Op) -> Mapping[str, Value]:
    """Fields of tn_pool_params."""
    assert isinstance(op.attrs, Pool2D)
    window = window_of(graph, op)
    act_min, act_max = activation_range(op.attrs.activation, graph.tensors[op.outputs[0]])
    return {
        "in_h": window.in_shape[0],
        "in_w": window.in_shape[1],
        "channels": window.in_shape[2],
        "out_h": window.out_shape[0],
        "out_w": window.out_shape[1],
        "k_h": window.kernel[0],
        "k_w": window.kernel[1],
        "stride_h": window.stride[0],
        "stride_w": window.stride[1],
        "pad_h": window.pad[0],
        "pad_w": window.pad[1],
        "act_min": act_min,
        "act_max": act_max,
    }


def max_refuses(graph: Graph, op: Op) -> str | None:
    """Other batches, and scales that differ, which TFLite's kernel refuses too."""
    return not_one_image(graph, op) or unequal_scales(graph, op)


for _name, _op, _refuses in (
    ("avg_pool_s8", "AVERAGE_POOL_2D", not_one_image),
    ("max_pool_s8", "MAX_POOL_2D", max_refuses),
):
    register(
        Kernel(
            name=_name,
            ops=(_op,),
            header="tn_pool.h",
            params="tn_pool_params",
            params_bytes=20,
            pack=pack,
            refuses=_refuses,
            lead_bytes=window_lead,
        )
    )
