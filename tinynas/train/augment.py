"""Augmentation on uint8 batches: mirror, shift, brightness and contrast; drawn from a passed generator.

Draws are made on the CPU, so that they are the same everywhere; the work is done where the images are.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from tinynas.train.config import AugmentConfig


def to_float(images: Tensor) -> Tensor:
    """uint8 (n, h, w, c) to float32 (n, c, h, w) in [0, 1], in channels_last memory: the same bytes order, no copy."""
    return images.permute(0, 3, 1, 2).float().div_(255)


def augmented(images: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """uint8 (n, h, w, c) to augmented float32 (n, c, h, w) in [0, 1]."""
    moved = _shifted(images, config.shift, generator)
    if config.mirror:
        flip = _uniform(images, 1.0, generator) > 0
        moved = torch.where(_per_image(flip), moved.flip(2), moved)
    return _lit(to_float(moved), config, generator)


def _shifted(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """The batch moved by one whole-pixel offset per image, its edges repeated."""
    n, height, width, _ = images.shape
    if not round(share * max(height, width)):
        return images
    rows, columns = (_offsets(n, size, share, generator).to(images.device) for size in (height, width))
    return images[torch.arange(n, device=images.device)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _offsets(n: int, size: int, share: float, generator: torch.Generator) -> Tensor:
    """(n, size): which source row (or column) each target row shows."""
    limit = round(share * size)
    offset = torch.randint(-limit, limit + 1, (n, 1), generator=generator)
    return (torch.arange(size) + offset).clamp_(0, size - 1)


def _lit(x: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    if not (config.brightness or config.contrast):
        return x
    gain = 1 + _uniform(x, config.contrast, generator)
    offset = _uniform(x, config.brightness, generator)
    return ((x - 0.5) * _per_image(gain) + (0.5 + _per_image(offset))).clamp_(0, 1)


def _uniform(batch: Tensor, limit: float, generator: torch.Generator) -> Tensor:
    """(n,) in [-limit, limit), one for each of the batch, beside it."""
    return ((torch.rand(len(batch), generator=generator) * 2 - 1) * limit).to(batch.device)


def _per_image(values: Tensor) -> Tensor:
    """(n,) to (n, 1, 1, 1)."""
    return values[:, None, None, None]


def resized(x: Tensor, resolution: int) -> Tensor:
    """Float (n, c, h, w) at another resolution, averaging where it shrinks; itself if it is that size."""
    if x.shape[2] == resolution and x.shape[3] == resolution:
        return x
    return F.interpolate(x, (resolution, resolution), mode="bilinear", antialias=True, align_corners=False)
