"""Work of a graph: multiply-accumulates."""

from __future__ import annotations

from tinynas.graph.ir import Graph, Op


def op_macs(graph: Graph, op: Op) -> int:
    """Multiply-accumulates of one run of `op`; 0 for ops that are not matrix products.

    Every output element of a product takes one weight slice: kh*kw*cin for CONV_2D, kh*kw for DEPTHWISE_CONV_2D,
    cin for FULLY_CONNECTED. Every input element of a TRANSPOSE_CONV takes kh*kw*cout.
    """
    if op.kind == "TRANSPOSE_CONV":
        weights, x = graph.tensors[op.inputs[1]], graph.tensors[op.inputs[2]]
        return x.elements * (weights.elements // weights.shape[3])
    if op.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        return 0
    weights, output = graph.tensors[op.inputs[1]], graph.tensors[op.outputs[0]]
    channels = weights.shape[3] if op.kind == "DEPTHWISE_CONV_2D" else weights.shape[0]
    return output.elements * (weights.elements // channels)


def macs(graph: Graph) -> int:
    """Multiply-accumulates of one inference."""
    return sum(op_macs(graph, op) for op in graph.ops)
