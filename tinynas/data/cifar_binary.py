"""`cifar10`: the official binary version of CIFAR-10 (Krizhevsky 2009): 60,000 colour images of 32 x 32, ten classes.

A record is a byte with the label and 3,072 bytes of pixels: the red, the green, the blue plane, row by row. Five files
of 10,000 records are for training, one for testing; validation images are taken from the training files.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tinynas.data.config import DataConfig
from tinynas.data.images import at_resolution
from tinynas.data.splits import stratified
from tinynas.data.types import Dataset, Split, make_dataset
from tinynas.errors import ConfigError, DataError

VERSION = 1
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAIN_FILES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_FILE = "test_batch.bin"
SIDE = 32
_RECORD_BYTES = 1 + 3 * SIDE * SIDE


def cifar10(config: DataConfig) -> Dataset:
    """Train and validation out of the training files (a sixth for validation unless sizes say other), test as given.

    Raises:
        ConfigError: no `path`.
        DataError: a file is missing, is no whole number of records, or has a label above 9.
    """
    folder = _folder(config)
    training = _joined([folder / name for name in TRAIN_FILES])
    parts = stratified(training.labels, _sizes(config, len(training.labels)), config.seed, config.dataset)
    test = _joined([folder / TEST_FILE]).rows(slice(config.test_images))
    train, validation = (_split(config, training.rows(part)) for part in parts[:2])
    return make_dataset(config.dataset, CLASSES, (train, validation, _split(config, test)))


def fingerprint(config: DataConfig) -> str:
    """Changes when the files do."""
    folder = _folder(config)
    stamps = [_stamp(folder / name) for name in (*TRAIN_FILES, TEST_FILE)]
    return hashlib.sha256(repr((VERSION, stamps)).encode()).hexdigest()


def read_records(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (n, 32, 32, 3) and labels (n,) of one file.

    Raises:
        DataError: see `cifar10`.
    """
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; data.path is the folder that holds {TEST_FILE}") from error
    if not len(content) or len(content) % _RECORD_BYTES:
        raise DataError(
            f"{path}: {len(content)} bytes are no whole number of records of {_RECORD_BYTES}; "
            "unpack the binary version (for C programs) of CIFAR-10 again"
        )
    records = content.reshape(-1, _RECORD_BYTES)
    if (worst := int(records[:, 0].max())) >= len(CLASSES):
        raise DataError(f"{path}: label {worst}, but CIFAR-10's end at 9; CIFAR-100 has two label bytes per record")
    images = records[:, 1:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), records[:, 0].astype(np.int64)


@dataclass(frozen=True)
class _Records:
    """Of one file or several."""

    images: NDArray[np.uint8]  # (n, 32, 32, 3)
    labels: NDArray[np.int64]  # (n,)
    sources: NDArray[np.str_]  # (n,), "<file>/<record>"

    def rows(self, part: NDArray[np.int64] | slice) -> _Records:
        return _Records(self.images[part], self.labels[part], self.sources[part])


def _joined(paths: list[Path]) -> _Records:
    read = [read_records(path) for path in paths]
    sources = [f"{path.name}/{i:05d}" for path, (_, own) in zip(paths, read, strict=True) for i in range(len(own))]
    images = np.concatenate([images for images, _ in read])
    return _Records(images, np.concatenate([labels for _, labels in read]), np.array(sources))


def _sizes(config: DataConfig, images: int) -> tuple[int, int, int | None]:
    """Of train, validation, and what neither takes."""
    validation = config.validation_images or images // 6
    train = config.train_images or images - validation
    return train, validation, None if train + validation < images else 0


def _split(config: DataConfig, records: _Records) -> Split:
    coloured = records.images if config.channels == 3 else _grey(records.images)
    return Split(at_resolution(coloured, config.resolution), records.labels, records.sources)


def _grey(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in images])[..., None]


def _folder(config: DataConfig) -> Path:
    if config.path is None:
        raise ConfigError(f"data.path is not set; dataset '{config.dataset}' needs the folder that holds {TEST_FILE}")
    return config.path


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; data.path is the folder that holds {TEST_FILE}") from error
    return path.name, status.st_size, status.st_mtime_ns
