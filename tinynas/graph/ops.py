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


@dataclass(frozen=True)
class Concatenation:
    """CONCATENATION of all inputs along `axis` (may be negative)."""

    axis: int = 0
    activation: Activation = Activation.NONE


@dataclass(frozen=True)
class LeakyRelu:
    """LEAKY_RELU: x if x > 0 else alpha * x."""

    alpha: float = 0.0


@dataclass(frozen=True)
class Squeeze:
    """SQUEEZE of the named axes; of all axes of length 1 if none is named."""

    squeeze_dims: tuple[int, ...] = ()


@dataclass(frozen=True)
class StridedSlice:
    """STRIDED_SLICE: inputs x, begin, end, strides (int32 constants); bit i of a mask speaks of axis i."""

    begin_mask: int = 0
    end_mask: int = 0
    ellipsis_mask: int = 0
    new_axis_mask: int = 0
    shrink_axis_mask: int = 0
    offset: bool = False


@dataclass(frozen=True)
class Pack:
    """PACK: stacks `values_count` inputs along a new axis."""

    values_count: int
    axis: int = 0


@dataclass(frozen=True)
class Split:
    """SPLIT: inputs axis (int32 constant), x; `num_splits` equal parts."""

    num_splits: int


@dataclass(frozen=True)
class Gather:
    """GATHER: inputs x, indices (int32)."""

    axis: int = 0
    batch_dims: int = 0


@dataclass(frozen=True)
class Resize:
    """RESIZE_NEAREST_NEIGHBOR, RESIZE_BILINEAR: inputs x [1,h,w,c], size [2] (int32 constant)."""

    align_corners: bool = False
    half_pixel_centers: bool = False


@dataclass(frozen=True)
class TransposeConv:
    """TRANSPOSE_CONV: inputs output shape (int32 constant), weights [cout,kh,kw,cin], x [1,h,w,cin], bias or absent."""

    stride_h: int = 1
    stride_w: int = 1
    padding: Padding = Padding.SAME
    activation: Activation = Activation.NONE


Attrs = (
    NoAttrs
    | Conv2D
    | DepthwiseConv2D
    | FullyConnected
    | Pool2D
    | Binary
    | Reduce
    | Softmax
    | Reshape
    | Concatenation
    | LeakyRelu
    | Squeeze
    | StridedSlice
    | Pack
    | Split
    | Gather
    | Resize
    | TransposeConv
)
