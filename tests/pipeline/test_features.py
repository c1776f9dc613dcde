from __future__ import annotations

import math

from tinynas.pipeline.features import capacity, macs
from tinynas.space.netspec import BlockSpec, NetSpec

PLAIN = BlockSpec(8, 8, 8, 3, 1)  # no expansion: the depthwise is its only rectified layer
WIDE = BlockSpec(8, 24, 16, 5, 2)
DEEP = BlockSpec(16, 32, 16, 3, 1)


def spec(*stages: tuple[BlockSpec, ...]) -> NetSpec:
    return NetSpec((16, 16, 1), 2, 8, 2, stages, 0)


def test_capacity_counts_rectified_channels_per_stage() -> None:
    """By hand: 8 of a plain block; twice 24 of an expanding one and twice 32 of the next; projections have none."""
    assert capacity(spec((PLAIN,), (WIDE, DEEP))) == [math.log(8), math.log(2 * 24 + 2 * 32)]


def test_kernels_add_work_but_no_capacity() -> None:
    small, large = (spec((BlockSpec(8, 24, 16, kernel, 2),)) for kernel in (3, 7))
    assert capacity(small) == capacity(large)
    assert macs(large) - macs(small) == 4 * 4 * 24 * (49 - 9)
