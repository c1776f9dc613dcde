"""MobileNetV2's block (arXiv 1801.04381, fig. 3): 1x1 expand, depthwise, 1x1 project, plus the input if it can."""

from __future__ import annotations

from tinynas.space.cell import Cell, register
from tinynas.space.netspec import BlockSpec
from tinynas.space.parts import Chain


def build(block: BlockSpec, chain: Chain) -> None:
    """Without an expand convolution if there is nothing to expand."""
    if block.hidden_channels != block.in_channels:
        chain.conv("expand", block.hidden_channels, activation=block.activation)
    chain.depthwise("depthwise", block.kernel, block.stride, block.activation)
    chain.attention(block.attention)
    chain.conv("project", block.out_channels)
    if block.residual:
        chain.add_input("add")


register(Cell("inverted_residual", "ir", build))
