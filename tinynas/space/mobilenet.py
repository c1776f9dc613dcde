"""MobileNetV2 (arXiv 1801.04381): its channel rounding, and width-scaled nets to compare a search against."""

from __future__ import annotations

from tinynas.space.netspec import ActivationName, BlockSpec, NetSpec

# table 2 of the paper: expand ratio, output channels, blocks, stride of the first block
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
_STEM_CHANNELS = 32
_HEAD_CHANNELS = 1280


def round_channels(channels: float, multiple: int = 8) -> int:
    """The multiple of `multiple` nearest to `channels`, at least one, and never more than 10 % below it.

    This is `_make_divisible` of the authors' code (tensorflow/models, research/slim/nets/mobilenet/mobilenet.py).
    """
    rounded = max(multiple, int(channels + multiple / 2) // multiple * multiple)
    return rounded + multiple if rounded < 0.9 * channels else rounded


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
    """A stage: the first of `depth` blocks takes the stride and changes the channels, the others are residual."""
    inputs = (in_channels, *[out_channels] * (depth - 1))
    strides = (stride, *[1] * (depth - 1))
    return tuple(
        BlockSpec(cin, round_channels(cin * expand_ratio, multiple), out_channels, kernel, step, activation)
        for cin, step in zip(inputs, strides, strict=True)
    )


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
