"""Stored features are what flows between the reference's stages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from tests.distill.small import data, reference
from tinynas.data.images import at_resolution
from tinynas.distill.features import as_batch, store_features
from tinynas.train.augment import to_float


def test_boundaries_are_the_reference_s(tmp_path: Path) -> None:
    """At another resolution than the images', in batches that do not divide their number."""
    images = data().validation.images[:30]
    store = store_features(reference(), images, 12, tmp_path / "f", batch_size=8)
    with torch.no_grad():
        x = reference().stem(to_float(torch.from_numpy(at_resolution(images, 12))))
        for boundary, stage in enumerate([*reference().stages, None]):
            found = as_batch(store.features(boundary), np.arange(30))
            torch.testing.assert_close(found, x, rtol=2e-3, atol=2e-3)
            assert store.variance(boundary).shape == (x.shape[1],)
            x = stage(x) if stage is not None else x


def test_computed_once_and_again_if_incomplete(tmp_path: Path) -> None:
    images = data().validation.images[:10]
    folder = tmp_path / "f"
    store_features(reference(), images, 16, folder)
    stamp = (folder / "boundary0.npy").stat().st_mtime_ns
    store_features(reference(), images, 16, folder)
    assert (folder / "boundary0.npy").stat().st_mtime_ns == stamp
    (folder / "complete.json").unlink()  # as after a kill
    store_features(reference(), images, 16, folder)
    assert (folder / "boundary0.npy").stat().st_mtime_ns != stamp
