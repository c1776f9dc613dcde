"""Kernel records, one file per family of ops; importing this package registers them all."""

from tinynas.plan.ops import (
    add_dsp,
    binary,
    concat,
    conv,
    conv_dsp,
    depthwise,
    depthwise_dsp,
    fully_connected,
    fully_connected_dsp,
    lut,
    mean,
    pad,
    pool,
    softmax,
    strided_copy,
)

__all__ = [
    "add_dsp",
    "binary",
    "concat",
    "conv",
    "conv_dsp",
    "depthwise",
    "depthwise_dsp",
    "fully_connected",
    "fully_connected_dsp",
    "lut",
    "mean",
    "pad",
    "pool",
    "softmax",
    "strided_copy",
]
