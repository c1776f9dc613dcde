"""MobileNetV1's block (arXiv 1704.04861, fig. 3): depthwise, 1x1; as later networks have it (MobileNetV3's first one)
without an activation at its end, plus the input if it can.
"""

from __future__ import annotations

from tinynas.space.cell import Cell, register
from tinynas.space.netspec import BlockSpec
from tinynas.space.parts import Chain


def build(block: BlockSpec, chain: Chain) -> None:
    """No hidden channels: the expand ratio means nothing here."""
    chain.depthwise("depthwise", block.kernel, block.stride, block.activation)
    chain.attention(block.attention)
    chain.conv("project", block.out_channels)
    if block.residual:
        chain.add_input("add")


register(Cell("depthwise_separable", "ds", build))
