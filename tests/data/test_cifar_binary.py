"""CIFAR-10's binary files, written here record by record, come back pixel by pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinynas.data.cifar_binary import CLASSES, TEST_FILE, TRAIN_FILES, cifar10, read_records
from tinynas.data.config import DataConfig
from tinynas.data.load import load_dataset
from tinynas.data.types import Split
from tinynas.errors import ConfigError, DataError

PER_FILE = 30


def colour(label: int, record: int) -> tuple[int, int, int]:
    """What the image's upper left pixel has; the lower right one has it reversed."""
    return 20 * label, record, 255 - record


def record_bytes(label: int, record: int) -> bytes:
    """As the format's description says: label, then a plane of each colour."""
    planes = np.zeros((3, 32, 32), np.uint8)
    planes[:, 0, 0] = colour(label, record)
    planes[:, 31, 31] = colour(label, record)[::-1]
    return bytes([label]) + planes.tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (*TRAIN_FILES, TEST_FILE):
        (tmp_path / name).write_bytes(b"".join(record_bytes(i % 10, i) for i in range(PER_FILE)))
    return tmp_path


def config(folder: Path | None, **changes: object) -> DataConfig:
    return DataConfig.model_validate({"dataset": "cifar10", "path": folder, **changes})


def check_pixels(split: Split) -> None:
    for image, label, source in zip(split.images, split.labels, split.sources, strict=True):
        record = int(str(source).split("/")[1])
        assert label == record % 10
        assert tuple(image[0, 0]) == colour(int(label), record)
        assert tuple(image[31, 31]) == colour(int(label), record)[::-1]


def test_every_record_is_in_one_split_with_its_pixels(folder: Path, tmp_path: Path) -> None:
    data = load_dataset(config(folder), tmp_path / "cache")
    assert data.classes == CLASSES
    assert [len(split) for split in data.splits.values()] == [125, 25, 30]
    for split in data.splits.values():
        check_pixels(split)
    sources = [source for split in data.splits.values() for source in split.sources]
    assert len(set(sources)) == len(sources) == 6 * PER_FILE
    assert {str(source).split("/")[0] for source in data.test.sources} == {TEST_FILE}


def test_sizes_and_grey_at_another_resolution(folder: Path) -> None:
    wanted = config(folder, train_images=40, validation_images=20, test_images=10, resolution=16, channels=1)
    data = cifar10(wanted)
    assert [split.images.shape for split in data.splits.values()] == [(n, 16, 16, 1) for n in (40, 20, 10)]
    assert all((np.bincount(split.labels) == len(split) // 10).all() for split in (data.train, data.validation))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no whole number of records"),
        (record_bytes(1, 1)[:-1], "no whole number of records"),
        (record_bytes(10, 1), "label 10"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / TEST_FILE
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        read_records(path)
    assert str(path) in str(caught.value)


def test_missing_files_and_path_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data_batch_1\.bin"):
        load_dataset(config(tmp_path), tmp_path / "cache")
    with pytest.raises(ConfigError, match=r"data\.path"):
        cifar10(config(None))
