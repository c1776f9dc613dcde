"""Attribute records of the ops, one per TFLite options table we use. Field names follow TFLite's."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Padding(enum.StrEnum):
    """Padding schemes of convolutions and pools."""

    SAME = "SAME"  # TensorFlow's: out = ceil(in / stride); the odd pixel of padding goes after
    VALID = "VALID"


class Activation(enum.StrEnum):
    """Activations that TFLite fuses into an op."""

    NONE = "NONE"
    RELU = "RELU"
    RELU6 = "RELU6"
    RELU_N1_TO_1 = "RELU_N1_TO_1"


@dataclass(frozen=True)
class NoAttrs:
    """For ops without options: RELU, RELU6, PAD, MAXIMUM, LOGISTIC, TANH, QUANTIZE, DEQUANTIZE, HARD_SWISH, ..."""


@dataclass(frozen=True)
class Conv2D:
    """CONV_2D: inputs x [1,h,w,cin], weights [cout,kh,kw,cin], bias [cout] or absent."""

    stride_h: int = 1
    stride_w: int = 1
    padding: Padding = Padding.SAME
    activation: Activation = Activation.NONE
    dilation_h: int = 1
    dilation_w: int = 1


@dataclass(frozen=True)
class DepthwiseConv2D:
    """DEPTHWISE_CONV_2D: inputs x [1,h,w,cin], weights [1,kh,kw,cin*depth_multiplier], bias."""

    stride_h: int = 1
    stride_w: int = 1
    padding: Padding = Padding.SAME
    activation: Activation = Activation.NONE
    depth_multiplier: int = 1
    dilation_h: int = 1
    dilation_w: int = 1


@dataclass(frozen=True)
class FullyConnected:
    """FULLY_CONNECTED: inputs x [..., cin], weights [cout, cin], bias [cout] or absent."""

    activation: Activation = Activation.NONE
    keep_num_dims: bool = False


@dataclass(frozen=True)
class Pool2D:
    """AVERAGE_POOL_2D, MAX_POOL_2D."""

    filter_h: int
    filter_w: int
    stride_h: int = 1
    stride_w: int = 1
    padding: Padding = Padding.VALID
    activation: Activation = Activation.NONE


@dataclass(frozen=True)
class Binary:
    """ADD, SUB, MUL."""

    activation: Activation = Activation.NONE


@dataclass(frozen=True)
class Reduce:
    """MEAN; the axes are the second input (int32 constant)."""

    keep_dims: bool = False


@dataclass(frozen=True)
class Softmax:
    """SOFTMAX over the last axis."""

    beta: float = 1.0


@dataclass(frozen=True)
class Reshape:
    """RESHAPE; TFLite also gives the shape as an int32 constant second input, which rules if present."""

    new_shape: tuple[int, ...]


Attrs = NoAttrs | Conv2D | DepthwiseConv2D | FullyConnected | Pool2D | Binary | Reduce | Softmax | Reshape
