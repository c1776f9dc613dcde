"""A labelled image set in three disjoint splits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Split:
    """Images of one split. A network sees pixel / 255, its int8 input sees pixel - 128."""

    images: NDArray[np.uint8] = field(repr=False)  # (n, height, width, channels)
    labels: NDArray[np.int64] = field(repr=False)  # (n,), index into Dataset.classes
    sources: NDArray[np.str_] = field(repr=False)  # (n,), where each image comes from; no source occurs in two splits

    def __len__(self) -> int:
        return len(self.labels)

    def head(self, limit: int) -> Split:
        """The first `limit` images."""
        return Split(self.images[:limit], self.labels[:limit], self.sources[:limit])


@dataclass(frozen=True, eq=False)
class Dataset:
    """Train is for training, calibration and BN re-estimation; validation for every choice; test is read once."""

    name: str
    classes: tuple[str, ...]
    train: Split
    validation: Split
    test: Split
    sha256: str  # of the classes and of every pixel and label

    @property
    def splits(self) -> dict[str, Split]:
        """The three splits by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of every image."""
        _, height, width, channels = self.train.images.shape
        return height, width, channels


def make_dataset(name: str, classes: tuple[str, ...], splits: tuple[Split, Split, Split]) -> Dataset:
    """The dataset of (train, validation, test), with its hash."""
    digest = hashlib.sha256("\0".join(classes).encode())
    for split in splits:
        digest.update(repr(split.images.shape).encode())
        digest.update(split.images.tobytes())
        digest.update(split.labels.tobytes())
    return Dataset(name, classes, *splits, digest.hexdigest())
