"""Datasets by name: recipes, cache, and the mistakes a user makes in [data]."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from tinynas.data.config import DataConfig, dataset_names
from tinynas.data.images import at_resolution
from tinynas.data.load import LOADERS, class_names, load_dataset
from tinynas.errors import ConfigError, DataError
from tinynas.resources import resource


def test_recipes_are_whole_and_have_cards() -> None:
    assert set(dataset_names()) >= {"facewake", "coco", "folder", "digits"}
    for name in dataset_names():
        assert DataConfig.model_validate({"dataset": name}).kind in LOADERS
        assert (resource("datasets") / f"{name}.md").read_text().startswith(f"# {name}")


def test_settings_override_the_recipe() -> None:
    config = DataConfig.model_validate({"dataset": "facewake", "resolution": 48})
    assert (config.kind, config.resolution, config.train_images) == ("facewake", 48, 4_000)


def test_mistakes_are_named() -> None:
    with pytest.raises(ConfigError, match=r"unknown dataset 'imagenet'.*coco.*facewake"):
        DataConfig.model_validate({"dataset": "imagenet"})
    with pytest.raises(ValidationError, match="resolutoin"):
        DataConfig.model_validate({"dataset": "digits", "resolutoin": 48})
    with pytest.raises(ValidationError, match="channels"):
        DataConfig.model_validate({"dataset": "digits", "channels": 2})
    with pytest.raises(ConfigError, match=r"data\.path: has no effect on dataset 'facewake'.*'coco' or 'folder'"):
        DataConfig.model_validate({"dataset": "facewake", "path": "photos"})


def test_classes_are_known_before_any_image_is_read(tmp_path: Path) -> None:
    """Of folders and zips by their names: what lies in them is no image."""
    for name in ("cat", "dog", "owl"):
        (tmp_path / "set" / name).mkdir(parents=True)
        (tmp_path / "set" / name / "1.png").write_bytes(b"none")
    folder = {"dataset": "folder", "path": tmp_path / "set"}
    assert class_names(DataConfig.model_validate(folder)) == ("cat", "dog", "owl")
    ordered = folder | {"classes": ["owl", "dog", "cat"]}
    assert class_names(DataConfig.model_validate(ordered)) == ("owl", "dog", "cat")
    assert class_names(DataConfig.model_validate({"dataset": "coco", "positive": "dog"})) == ("no dog", "dog")
    assert len(class_names(DataConfig.model_validate({"dataset": "cifar10"}))) == 10
    assert class_names(DataConfig.model_validate({"dataset": "facewake"})) == ("no face", "face")
    with pytest.raises(DataError, match="no such folder or zip"):
        class_names(DataConfig.model_validate({"dataset": "folder", "path": tmp_path / "nowhere"}))
    with pytest.raises(ConfigError, match=r"data\.path is not set"):
        class_names(DataConfig.model_validate({"dataset": "folder"}))


def test_classes_known_beforehand_are_those_of_the_dataset(tmp_path: Path) -> None:
    config = DataConfig.model_validate({"dataset": "digits"})
    assert class_names(config) == load_dataset(config, tmp_path).classes


def test_digits_from_the_cache_are_the_digits(tmp_path: Path) -> None:
    config = DataConfig.model_validate({"dataset": "digits"})
    first = load_dataset(config, tmp_path)
    assert sum(len(split) for split in first.splits.values()) == 1797
    assert first.input_shape == (16, 16, 1) and len(first.classes) == 10
    again = load_dataset(config, tmp_path)
    assert again.sha256 == first.sha256
    np.testing.assert_array_equal(again.test.images, first.test.images)
    assert len(list(tmp_path.rglob("*.npz"))) == 1
    assert load_dataset(config.model_copy(update={"seed": 1}), tmp_path).sha256 != first.sha256


def test_cached_sources_are_disjoint(tmp_path: Path) -> None:
    data = load_dataset(DataConfig.model_validate({"dataset": "digits"}), tmp_path)
    sources = [str(s) for split in data.splits.values() for s in split.sources]
    assert len(sources) == len(set(sources))


def test_at_resolution() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    assert at_resolution(images, 8) is images
    half = at_resolution(images, 4)
    assert half.shape == (3, 4, 4, 3) and half.dtype == np.uint8
    flat = np.full((2, 9, 9, 1), 77, np.uint8)
    assert (at_resolution(flat, 5) == 77).all()
