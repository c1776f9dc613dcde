"""MobileNetV1 (arXiv 1704.04861) and V2 (arXiv 1801.04381): width-scaled nets to compare a search against."""

from __future__ import annotations

from tinynas.space.blocks import StageOption, stage_blocks
from tinynas.space.channels import round_channels
from tinynas.space.netspec import ActivationName, BlockSpec, NetSpec

# table 2 of the paper: expand ratio, output channels, blocks, stride of the first block
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
# table 1 of V1's: output channels, stride
_V1_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
_STEM_CHANNELS = 32
_HEAD_CHANNELS = 1280


def inverted_residuals(
    in_channels: int,
    out_channels: int,
    stride: int,
    *,
    depth: int,
    kernel: int,
    expand_ratio: float,
    multiple: int = 8,
    activation: ActivationName = "relu6",
) -> tuple[BlockSpec, ...]:
    """A stage of the paper's blocks: see `stage_blocks`."""
    option = StageOption(depth, kernel, expand_ratio, "inverted_residual", activation, "none", out_channels)
    return stage_blocks(in_channels, out_channels, stride, option, multiple)


def scaled_mobilenet_v2(
    width: float,
    resolution: int,
    channels: int,
    classes: int,
    *,
    multiple: int = 8,
    activation: ActivationName = "relu6",
) -> NetSpec:
    """MobileNetV2 with every layer's channels times `width`, for square inputs of `resolution` pixels.

    The head is scaled as well, as a `SearchSpace` does. (The paper keeps its 1,280 channels below width 1; with a
    handful of classes that layer alone would then hold most of a microcontroller's flash.)
    """

    def scaled(full: int) -> int:
        return round_channels(full * width, multiple)

    stages, cin = [], scaled(_STEM_CHANNELS)
    for expand, full, depth, stride in _STAGES:
        cout = scaled(full)
        stage = inverted_residuals(
            cin,
            cout,
            stride,
            depth=depth,
            kernel=3,
            expand_ratio=expand,
            multiple=multiple,
            activation=activation,
        )
        stages.append(stage)
        cin = cout
    return NetSpec(
        input_shape=(resolution, resolution, channels),
        classes=classes,
        stem_channels=scaled(_STEM_CHANNELS),
        stem_stride=2,
        stages=tuple(stages),
        head_channels=scaled(_HEAD_CHANNELS),
        activation=activation,
    )


def scaled_mobilenet_v1(
    width: float, resolution: int, channels: int, classes: int, *, activation: ActivationName = "relu6"
) -> NetSpec:
    """MobileNetV1 with every layer's channels times `width`, as the paper's alpha; a stage per block."""
    cin = stem = int(_STEM_CHANNELS * width)
    blocks = []
    for full, stride in _V1_BLOCKS:
        cout = int(full * width)
        blocks.append((BlockSpec(cin, cin, cout, 3, stride, activation, "mobilenet_v1"),))
        cin = cout
    return NetSpec((resolution, resolution, channels), classes, stem, 2, tuple(blocks), 0, activation)
