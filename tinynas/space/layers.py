"""A `NetSpec` spelt out layer by layer: the one place that fixes names, order and shapes of a network's layers.

`nets` builds the torch module, `graph` the weightless Graph, and `stats` the MACs from this list, so that they agree.
"""

from __future__ import annotations

from tinynas.errors import ConfigError
from tinynas.space.cell import parts_of
from tinynas.space.netspec import BlockSpec, LayerSpec, NetSpec
from tinynas.space.parts import CELL_INPUT, Part

Shape = tuple[int, int, int]  # height, width, channels


def layers(spec: NetSpec) -> tuple[LayerSpec, ...]:
    """The layers of `spec` in execution order, from "stem" to "softmax".

    A block contributes "s<stage>b<block>.<part>" for each part of its cell: of an inverted residual ".expand" (omitted
    when hidden == in), ".depthwise", ".project" and, when it is residual, ".add". Then "head" (omitted when
    head_channels is 0), "pool", "classifier", "softmax".

    Raises:
        ConfigError: a block's input channels are not what the layer before it gives.
    """
    chain = [_stem(spec)]
    for stage, blocks in enumerate(spec.stages):
        for index, block in enumerate(blocks):
            chain += _block(f"s{stage}b{index}", block, chain[-1])
    if spec.head_channels:
        before = chain[-1]
        wider = same_shape(before.out_shape, spec.head_channels, 1)
        chain.append(LayerSpec("head", "conv", (before.name,), before.out_shape, wider, activation=spec.activation))
    return (*chain, *_classifier(chain[-1], spec.classes))


def same_shape(shape: Shape, channels: int, stride: int) -> Shape:
    """Output of a SAME-padded window: ceil(size / stride), whatever the kernel."""
    height, width, _ = shape
    return (-(-height // stride), -(-width // stride), channels)


def _stem(spec: NetSpec) -> LayerSpec:
    out = same_shape(spec.input_shape, spec.stem_channels, spec.stem_stride)
    return LayerSpec("stem", "conv", ("input",), spec.input_shape, out, 3, spec.stem_stride, spec.activation)


def _block(name: str, block: BlockSpec, before: LayerSpec) -> list[LayerSpec]:
    shape = before.out_shape
    if shape[2] != block.in_channels:
        raise ConfigError(
            f"block {name} takes {block.in_channels} channels, but {before.name!r} gives {shape[2]}; "
            "make each block's in_channels the out_channels of the one before"
        )
    names, shapes = {CELL_INPUT: before.name}, {CELL_INPUT: shape}
    chain = []
    for part in parts_of(block):
        names[part.name] = f"{name}.{part.name}"
        source = shapes[part.inputs[0]]
        out = shapes[part.name] = _out_shape(part, source)
        inputs = tuple(names[i] for i in part.inputs)
        window = (part.kernel, part.stride)
        chain.append(LayerSpec(names[part.name], part.kind, inputs, source, out, *window, activation=part.activation))
    return chain


def _out_shape(part: Part, source: Shape) -> Shape:
    if part.kind == "global_pool":
        return (1, 1, part.out_channels)
    return same_shape(source, part.out_channels, part.stride)


def _classifier(before: LayerSpec, classes: int) -> tuple[LayerSpec, LayerSpec, LayerSpec]:
    """Global average pool over the whole window, linear, softmax; no activation between them."""
    pooled = (1, 1, before.out_shape[2])
    scores = (1, 1, classes)
    return (
        LayerSpec("pool", "global_pool", (before.name,), before.out_shape, pooled),
        LayerSpec("classifier", "linear", ("pool",), pooled, scores),
        LayerSpec("softmax", "softmax", ("classifier",), scores, scores),
    )
