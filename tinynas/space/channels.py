"""Rounding of channel numbers."""

from __future__ import annotations


def round_channels(channels: float, multiple: int = 8) -> int:
    """The multiple of `multiple` nearest to `channels`, at least one, and never more than 10 % below it.

    This is `_make_divisible` of MobileNet's authors (tensorflow/models, research/slim/nets/mobilenet/mobilenet.py).
    """
    rounded = max(multiple, int(channels + multiple / 2) // multiple * multiple)
    return rounded + multiple if rounded < 0.9 * channels else rounded
