"""Image folders and zips: classes by name, splits by seed, every bad file named."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinynas.data.config import DataConfig
from tinynas.data.describe import describe
from tinynas.data.folder import image_folder
from tinynas.data.load import load_dataset
from tinynas.data.types import Dataset
from tinynas.errors import ConfigError, DataError


def write_image(path: Path, seed: int = 0, side: int = 20, colour: bool = True) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    grey = rng.integers(0, 256, (4, 4, 1 if not colour else 3), dtype=np.uint8)
    Image.fromarray(np.broadcast_to(grey, (4, 4, 3))).resize((side + 4, side)).save(path)


def write_folder(root: Path, per_class: int = 20, classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    for label, name in enumerate(classes):
        for index in range(per_class):
            write_image(root / name / f"{index}.png", 100 * label + index)
    return root


def config(path: Path, **changes: object) -> DataConfig:
    return DataConfig.model_validate({"dataset": "folder", "path": path, "resolution": 12} | changes)


def zipped(folder: Path, wrap: bool = False) -> Path:
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*.png")):
            file.write(path, path.relative_to(folder.parent if wrap else folder))
    return archive


def all_sources(data: Dataset) -> list[str]:
    return [str(source) for split in data.splits.values() for source in split.sources]


def test_every_image_is_in_one_split_with_its_folder_s_label(tmp_path: Path) -> None:
    data = image_folder(config(write_folder(tmp_path / "set")))
    assert data.classes == ("cat", "dog")
    assert [len(split) for split in data.splits.values()] == [28, 6, 6]
    assert len(set(all_sources(data))) == 40
    for split in data.splits.values():
        assert [data.classes[label] for label in split.labels] == [str(s).split("/")[0] for s in split.sources]
        assert split.labels.mean() == 0.5  # stratified


@pytest.mark.parametrize("wrap", [False, True])
def test_a_zip_is_the_same_set(tmp_path: Path, wrap: bool) -> None:
    folder = write_folder(tmp_path / "set")
    assert image_folder(config(zipped(folder, wrap))).sha256 == image_folder(config(folder)).sha256


def test_splits_made_by_the_owner_are_kept(tmp_path: Path) -> None:
    write_folder(tmp_path / "set" / "train", 20)
    write_folder(tmp_path / "set" / "test", 6)
    data = image_folder(config(tmp_path / "set"))
    assert all(str(s).startswith("test/") for s in data.test.sources) and len(data.test) == 12
    assert all(str(s).startswith("train/") for s in (*data.train.sources, *data.validation.sources))
    assert len(data.train) == 34 and len(data.validation) == 6


def test_sizes_and_seed(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "set")
    data = image_folder(config(folder, train_images=10, validation_images=4, test_images=6))
    assert [len(split) for split in data.splits.values()] == [10, 4, 6]
    assert all_sources(image_folder(config(folder, seed=1))) != all_sources(image_folder(config(folder)))
    with pytest.raises(DataError, match="40 images"):
        image_folder(config(folder, train_images=41))


def test_cache_notices_changed_files(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "set")
    first = load_dataset(config(folder), tmp_path / "cache")
    assert load_dataset(config(folder), tmp_path / "cache").sha256 == first.sha256
    write_image(folder / "cat" / "0.png", seed=999, side=30)
    assert load_dataset(config(folder), tmp_path / "cache").sha256 != first.sha256
    assert not list((tmp_path / "cache").rglob("*.tmp"))


def test_bad_data_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "set")
    with pytest.raises(DataError, match="no such folder"):
        image_folder(config(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match=r"data\.path"):
        image_folder(DataConfig.model_validate({"dataset": "folder"}))
    with pytest.raises(DataError, match=r"set/dog: unknown label.*cat, bird"):
        image_folder(config(folder, classes=("cat", "bird")))
    (folder / "bird").mkdir()
    with pytest.raises(DataError, match="set/bird: class without images"):
        image_folder(config(folder))
    (folder / "bird").rmdir()
    write_image(folder / "stray.png")
    with pytest.raises(DataError, match=r"stray\.png: lies outside a class folder"):
        image_folder(config(folder))
    (folder / "stray.png").unlink()
    shutil.rmtree(folder / "dog")
    with pytest.raises(DataError, match=r"only one class \(cat\)"):
        image_folder(config(folder))
    with pytest.raises(DataError, match="no images found"):
        image_folder(config(_empty(tmp_path)))


def _empty(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


@pytest.mark.parametrize("damage", ["truncated", "text", "empty"])
def test_unreadable_images_are_named_and_listed(tmp_path: Path, damage: str) -> None:
    folder = write_folder(tmp_path / "set")
    victim = folder / "dog" / "3.png"
    content = victim.read_bytes()
    victim.write_bytes({"truncated": content[: len(content) // 2], "text": b"hello", "empty": b""}[damage])
    with pytest.raises(DataError, match=r"set/dog/3\.png: cannot read this image"):
        image_folder(config(folder))
    assert describe(folder).unreadable == (str(victim),)


def test_damaged_zips_are_named(tmp_path: Path) -> None:
    archive = zipped(write_folder(tmp_path / "set"))
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"set\.zip"):
        image_folder(config(archive))
    archive.write_bytes(content[:300] + bytes(200) + content[500:])  # a damaged member, the directory intact
    with pytest.raises(DataError, match=r"set\.zip/"):
        image_folder(config(archive))


def test_describe_proposes_size_and_colour(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "set", 5)
    write_image(folder / "cat" / "6.png", 6)
    seen: list[tuple[int, int]] = []
    found = describe(folder, on_image=lambda done, total: seen.append((done, total)))
    assert (found.kind, found.classes, found.counts) == ("folder", ("cat", "dog"), (6, 5))
    assert (found.median_size, found.resolution, found.channels) == ((24, 20), 32, 3)
    assert seen[-1] == (11, 11)
    for name in ("cat", "dog"):
        for index in range(5):
            write_image(tmp_path / "grey" / name / f"{index}.png", index, side=70, colour=False)
    grey = describe(tmp_path / "grey")
    assert (grey.resolution, grey.channels) == (64, 1)
