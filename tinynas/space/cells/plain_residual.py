"""ResNet's basic block (arXiv 1512.03385, fig. 5 left): two k x k convolutions, plus the input if it can.

Without the activation after the sum, so that it ends as the other cells do.
"""

from __future__ import annotations

from tinynas.space.cell import Cell, register
from tinynas.space.netspec import BlockSpec
from tinynas.space.parts import Chain


def build(block: BlockSpec, chain: Chain) -> None:
    """The first convolution takes the stride; the expand ratio means nothing here."""
    chain.conv("conv1", block.out_channels, block.kernel, block.stride, block.activation)
    chain.attention(block.attention)
    chain.conv("conv2", block.out_channels, block.kernel)
    if block.residual:
        chain.add_input("add")


register(Cell("plain_residual", "plain", build))
