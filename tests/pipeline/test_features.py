from __future__ import annotations

from tinynas.pipeline.features import macs
from tinynas.space.netspec import BlockSpec, NetSpec


def spec(kernel: int) -> NetSpec:
    return NetSpec((16, 16, 1), 2, 8, 2, ((BlockSpec(8, 24, 16, kernel, 2),),), 0)


def test_of_a_larger_kernel_only_the_depthwise_layer_computes_more() -> None:
    """16 inputs of 4 x 4 values and 24 channels."""
    assert macs(spec(7)) - macs(spec(3)) == 4 * 4 * 24 * (49 - 9)
