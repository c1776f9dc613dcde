"""Kernel records, one file per family of ops; importing this package registers them all."""

from tinynas.plan.ops import (
    binary,
    concat,
    conv,
    depthwise,
    fully_connected,
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
    "depthwise",
    "fully_connected",
    "lut",
    "mean",
    "pad",
    "pool",
    "softmax",
    "strided_copy",
]
