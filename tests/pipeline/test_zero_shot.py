from __future__ import annotations

import numpy as np

from tinynas.pipeline.zero_shot import naswot
from tinynas.space.netspec import BlockSpec, NetSpec

SPEC = NetSpec((12, 12, 1), 2, 8, 2, ((BlockSpec(8, 16, 8, 3, 1),),), 16)


def images(n: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (n, 16, 16, 1)).astype(np.uint8)


def test_equal_images_cannot_be_told_apart() -> None:
    same = np.repeat(images(1), 4, axis=0)
    assert naswot(SPEC, same, seed=0) < naswot(SPEC, images(4), seed=0)


def test_one_seed_one_score() -> None:
    assert naswot(SPEC, images(8), seed=1) == naswot(SPEC, images(8), seed=1)
    assert naswot(SPEC, images(8), seed=1) != naswot(SPEC, images(8), seed=2)


def test_one_image_counts_all_activations() -> None:
    """K is 1 x 1 and holds the number of rectified activations: stem, expand, depthwise, head."""
    activations = 6 * 6 * (8 + 16 + 16 + 16)
    assert np.isclose(naswot(SPEC, images(1), seed=0), np.log(activations))
