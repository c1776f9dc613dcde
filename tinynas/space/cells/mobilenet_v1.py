"""MobileNetV1's block as published (arXiv 1704.04861, fig. 3): depthwise, 1x1, each with an activation; no sum."""

from __future__ import annotations

from tinynas.space.cell import Cell, register
from tinynas.space.netspec import BlockSpec
from tinynas.space.parts import Chain


def build(block: BlockSpec, chain: Chain) -> None:
    """No hidden channels: the expand ratio means nothing here."""
    chain.depthwise("depthwise", block.kernel, block.stride, block.activation)
    chain.conv("project", block.out_channels, activation=block.activation)


register(Cell("mobilenet_v1", "v1", build, rectified=True))
