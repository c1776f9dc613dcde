"""`digits`: scikit-learn's 1797 handwritten digits, 8 x 8 grey: small enough for tests and first steps."""

from __future__ import annotations

import numpy as np
from PIL import Image

from tinynas.data.config import DataConfig
from tinynas.data.splits import stratified
from tinynas.data.types import Dataset, Split, make_dataset

VERSION = 1
CLASSES = tuple("0123456789")


def digits(config: DataConfig) -> Dataset:
    """The digits, resized to `config.resolution`, in three stratified splits."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    grey = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    side = config.resolution
    images = np.stack([np.asarray(Image.fromarray(digit).resize((side, side))) for digit in grey])
    images = np.repeat(images[..., None], config.channels, axis=3)
    labels = bunch.target.astype(np.int64)
    sources = np.array([f"digits/{i:04d}" for i in range(len(labels))])
    parts = stratified(labels, config.sizes, config.seed, config.dataset)
    train, validation, test = (Split(images[part], labels[part], sources[part]) for part in parts)
    return make_dataset(config.dataset, CLASSES, (train, validation, test))
