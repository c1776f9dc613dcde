"""The blocks of a stage."""

from __future__ import annotations

from dataclasses import dataclass

from tinynas.space.channels import round_channels
from tinynas.space.netspec import ActivationName, AttentionName, BlockSpec


@dataclass(frozen=True)
class StageOption:
    """What may be chosen for one stage; all of its blocks share it (one DONNA block option)."""

    depth: int  # blocks
    kernel: int  # side, pixels
    expand_ratio: float  # hidden channels / input channels, before rounding
    cell: str
    activation: ActivationName
    attention: AttentionName
    out_channels: int  # at width 1


def stage_blocks(
    in_channels: int, out_channels: int, stride: int, option: StageOption, multiple: int = 8
) -> tuple[BlockSpec, ...]:
    """The first block takes the stride and changes the channels, the others' ends are equal.

    Hidden channels are rounded to `multiple`; the ends are given as they shall be.
    """

    def block(cin: int, step: int) -> BlockSpec:
        hidden = round_channels(cin * option.expand_ratio, multiple)
        kinds = (option.activation, option.cell, option.attention)
        return BlockSpec(cin, hidden, out_channels, option.kernel, step, *kinds)

    if option.depth == 1:
        return (block(in_channels, stride),)
    return (block(in_channels, stride), *[block(out_channels, 1)] * (option.depth - 1))
