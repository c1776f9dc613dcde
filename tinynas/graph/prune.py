"""Removing ops, and the tensors that nothing uses any more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from tinynas.graph.ir import Graph


def without_ops(graph: Graph, removed: Collection[int]) -> Graph:
    """The graph without the ops at these indices and without unused tensors; the others keep their order."""
    return without_unused_tensors(replace(graph, ops=tuple(o for i, o in enumerate(graph.ops) if i not in removed)))


def without_unused_tensors(graph: Graph) -> Graph:
    """Tensors that no op, input or output names are dropped, the rest renumbered in order."""
    used = {i for op in graph.ops for i in (*op.inputs, *op.outputs) if i >= 0} | {*graph.inputs, *graph.outputs}
    kept = sorted(used)
    place = {old: new for new, old in enumerate(kept)} | {-1: -1}

    def moved(indices: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(place[i] for i in indices)

    return replace(
        graph,
        tensors=tuple(graph.tensors[i] for i in kept),
        ops=tuple(replace(op, inputs=moved(op.inputs), outputs=moved(op.outputs)) for op in graph.ops),
        inputs=moved(graph.inputs),
        outputs=moved(graph.outputs),
    )
