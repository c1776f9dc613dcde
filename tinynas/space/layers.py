"""A `NetSpec` spelt out layer by layer: the one place that fixes names, order and shapes of a network's layers.

`nets` builds the torch module, `graph` the weightless Graph, and `stats` the MACs from this list, so that they agree.
"""

from __future__ import annotations

from dataclasses import replace

from tinynas.errors import ConfigError
from tinynas.space.netspec import BlockSpec, LayerSpec, NetSpec

Shape = tuple[int, int, int]  # height, width, channels


def layers(spec: NetSpec) -> tuple[LayerSpec, ...]:
    """The layers of `spec` in execution order, from "stem" to "softmax".

    A block contributes "s<stage>b<block>.expand" (omitted when hidden == in), ".depthwise", ".project" and, when
    it is residual, ".add". Then "head" (omitted when head_channels is 0), "pool", "classifier", "softmax".

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
    hidden, act = block.hidden_channels, block.activation
    expanded = same_shape(shape, hidden, 1)
    filtered = same_shape(shape, hidden, block.stride)
    out = same_shape(filtered, block.out_channels, 1)
    parts = [
        LayerSpec(f"{name}.expand", "conv", (before.name,), shape, expanded, activation=act),
        LayerSpec(
            f"{name}.depthwise", "depthwise", (f"{name}.expand",), expanded, filtered, block.kernel, block.stride, act
        ),
        LayerSpec(f"{name}.project", "conv", (f"{name}.depthwise",), filtered, out),
        LayerSpec(f"{name}.add", "add", (before.name, f"{name}.project"), shape, out),
    ]
    if hidden == block.in_channels:  # nothing to expand: the depthwise reads the block's input
        parts = [replace(parts[1], inputs=(before.name,)), *parts[2:]]
    return parts if block.residual else parts[:-1]


def _classifier(before: LayerSpec, classes: int) -> tuple[LayerSpec, LayerSpec, LayerSpec]:
    """Global average pool over the whole window, linear, softmax; no activation between them."""
    pooled = (1, 1, before.out_shape[2])
    scores = (1, 1, classes)
    return (
        LayerSpec("pool", "global_pool", (before.name,), before.out_shape, pooled),
        LayerSpec("classifier", "linear", ("pool",), pooled, scores),
        LayerSpec("softmax", "softmax", ("classifier",), scores, scores),
    )
