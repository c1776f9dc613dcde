"""Kernel records, one file per family of ops; importing this package registers them all."""

from tinynas.plan.ops import (
    binary,
    concat,
    conv,
    conv_mve,
    depthwise,
    fully_connected,
    fully_connected_mve,
    lut,
    mean,
    pad,
    pool,
    softmax,
    strided_copy,
)

__all__ = [
    "binary",
    "concat",
    "conv",
    "conv_mve",
    "depthwise",
    "fully_connected",
    "fully_connected_mve",
    "lut",
    "mean",
    "pad",
    "pool",
    "softmax",
    "strided_copy",
]
