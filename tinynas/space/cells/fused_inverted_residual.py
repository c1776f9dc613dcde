"""EfficientNetV2's Fused-MBConv (arXiv 2104.00298, fig. 2): k x k convolution to the hidden channels, 1x1 project.

More multiplications than an inverted residual, but fewer and larger products: often faster where maps are small.
"""

from __future__ import annotations

from tinynas.space.cell import Cell, register
from tinynas.space.netspec import BlockSpec
from tinynas.space.parts import Chain


def build(block: BlockSpec, chain: Chain) -> None:
    """As an inverted residual, with one convolution for expand and depthwise."""
    chain.conv("expand", block.hidden_channels, block.kernel, block.stride, block.activation)
    chain.attention(block.attention)
    chain.conv("project", block.out_channels)
    if block.residual:
        chain.add_input("add")


register(Cell("fused_inverted_residual", "fused", build))
