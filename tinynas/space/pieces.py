"""Pieces of networks: stem, blocks, tail; and the weightless graph of any run of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinynas.graph.ir import Graph
from tinynas.graph.lower import lower
from tinynas.space.layers import Shape, layers, same_shape
from tinynas.space.netspec import BlockSpec, NetSpec


@dataclass(frozen=True)
class Stem:
    """The first convolution of networks like this one."""

    frame: NetSpec  # without stages


@dataclass(frozen=True)
class Middle:
    """A block."""

    block: BlockSpec
    in_shape: Shape


@dataclass(frozen=True)
class Tail:
    """What follows the last block of networks like this one."""

    frame: NetSpec
    in_shape: Shape


Piece = Stem | Middle | Tail


def out_shape(piece: Stem | Middle) -> Shape:
    """What the piece gives to the next one."""
    if isinstance(piece, Stem):
        return same_shape(piece.frame.input_shape, piece.frame.stem_channels, piece.frame.stem_stride)
    return same_shape(piece.in_shape, piece.block.out_channels, piece.block.stride)


def lowered(pieces: Sequence[Piece]) -> Graph:
    """The weightless graph of pieces that follow each other."""
    first, last = pieces[0], pieces[-1]
    blocks = tuple(piece.block for piece in pieces if isinstance(piece, Middle))
    if isinstance(first, Stem):
        spec = replace(first.frame, stages=(blocks,))
    else:  # a stem that gives what the first piece is given; it is cut off again
        spec = NetSpec(first.in_shape, 2, first.in_shape[2], 1, (blocks,), 0)
    if isinstance(last, Tail):
        frame = last.frame
        spec = replace(spec, head_channels=frame.head_channels, classes=frame.classes)
        spec = spec if isinstance(first, Stem) else replace(spec, activation=frame.activation)
        return _between(lower(spec), None if isinstance(first, Stem) else "stem", None)
    spec = replace(spec, head_channels=0)
    return _between(lower(spec), None if isinstance(first, Stem) else "stem", layers(spec)[-4].name)


def _between(graph: Graph, source: str | None, target: str | None) -> Graph:
    """The ops after the one that makes `source` (None: all), up to the one that makes `target`."""
    index = {tensor.name: k for k, tensor in enumerate(graph.tensors)}
    made = {op.outputs[0]: k for k, op in enumerate(graph.ops)}
    inputs = graph.inputs if source is None else (index[source],)
    outputs = graph.outputs if target is None else (index[target],)
    first, end = (0 if source is None else made[inputs[0]] + 1), made[outputs[0]] + 1
    return replace(graph, ops=graph.ops[first:end], inputs=inputs, outputs=outputs)
