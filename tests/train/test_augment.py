"""Augmentation keeps pixels in range and comes from its generator alone."""

from __future__ import annotations

import torch

from tinynas.train.augment import augmented, resized, to_float
from tinynas.train.config import AugmentConfig


def batch(n: int = 8) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, 10, 12, 3), dtype=torch.uint8, generator=generator)


def draw(config: AugmentConfig, seed: int) -> torch.Tensor:
    return augmented(batch(), config, torch.Generator().manual_seed(seed))


def test_off_is_the_plain_image() -> None:
    off = AugmentConfig(mirror=False, shift=0, brightness=0, contrast=0)
    assert torch.equal(draw(off, 0), to_float(batch()))


def test_a_seed_fixes_it_and_values_stay_in_range() -> None:
    first, again, other = (draw(AugmentConfig(), seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.min() >= 0 and first.max() <= 1


def test_shift_only_moves() -> None:
    """Every shifted row and column is one of the image's own."""
    moved = draw(AugmentConfig(mirror=False, shift=0.2, brightness=0, contrast=0), 3)
    for image, original in zip(moved, to_float(batch()), strict=True):
        assert set(image.flatten().tolist()) <= set(original.flatten().tolist())
    assert not torch.equal(moved, to_float(batch()))


def test_mirror_is_each_image_or_its_mirror_image() -> None:
    mirrored = draw(AugmentConfig(mirror=True, shift=0, brightness=0, contrast=0), 4)
    plain = to_float(batch())
    kinds = {(torch.equal(m, p), torch.equal(m, p.flip(2))) for m, p in zip(mirrored, plain, strict=True)}
    assert kinds == {(True, False), (False, True)}


def test_it_works_where_the_images_are() -> None:
    """On a device without data: a tensor left on the CPU would be refused."""
    there = augmented(batch().to("meta"), AugmentConfig(shift=0.2), torch.Generator().manual_seed(0))
    assert there.device.type == "meta" and there.shape == (8, 3, 10, 12)


def test_to_float_is_channels_last() -> None:
    x = to_float(batch())
    assert x.shape == (8, 3, 10, 12) and x.is_contiguous(memory_format=torch.channels_last)


def test_resized_keeps_a_flat_image_flat() -> None:
    flat = torch.full((1, 1, 10, 10), 0.3)
    assert resized(flat, 10) is flat
    torch.testing.assert_close(resized(flat, 7), torch.full((1, 1, 7, 7), 0.3))
