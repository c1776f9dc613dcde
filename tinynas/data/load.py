"""Every dataset by one call, cached as plain arrays under the hash of its configuration and files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinynas.data import cifar_binary, coco, digits, facewake, folder
from tinynas.data.arrays import load_arrays, save_arrays
from tinynas.data.config import DataConfig, Kind
from tinynas.data.types import Dataset, Split
from tinynas.errors import DataError

_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Loader:
    """How one kind of dataset is made, what else but the configuration decides its pixels, and what its classes are."""

    load: Callable[[DataConfig], Dataset]
    fingerprint: Callable[[DataConfig], str]
    classes: Callable[[DataConfig], tuple[str, ...]]  # without reading an image


def _version(version: int) -> Callable[[DataConfig], str]:
    return lambda config: str(version)


def _always(classes: tuple[str, ...]) -> Callable[[DataConfig], tuple[str, ...]]:
    return lambda config: classes


LOADERS: dict[Kind, Loader] = {
    "facewake": Loader(facewake.facewake, _version(facewake.VERSION), _always(facewake.CLASSES)),
    "digits": Loader(digits.digits, _version(digits.VERSION), _always(digits.CLASSES)),
    "folder": Loader(folder.image_folder, folder.fingerprint, folder.class_names),
    "coco": Loader(coco.coco, coco.fingerprint, coco.class_names),
    "cifar10": Loader(cifar_binary.cifar10, cifar_binary.fingerprint, _always(cifar_binary.CLASSES)),
}


def class_names(config: DataConfig) -> tuple[str, ...]:
    """The classes that the dataset will have, in the order of its labels, known without reading an image.

    Raises:
        ConfigError, DataError: they are folders of the user's, and those are not said, not there, or no classes.
    """
    return LOADERS[config.kind].classes(config)


def load_dataset(config: DataConfig, cache: Path) -> Dataset:
    """The dataset, from `cache` if it is there. Raises DataError naming the file that is missing or unreadable."""
    loader = LOADERS[config.kind]
    key = json.dumps([config.model_dump(mode="json"), loader.fingerprint(config)], sort_keys=True)
    stored = cache / "data" / f"{config.dataset}-{hashlib.sha256(key.encode()).hexdigest()[:20]}.npz"
    if not stored.exists():
        _store(loader.load(config), stored)
    return _restore(stored)


def _store(dataset: Dataset, path: Path) -> None:
    arrays = {
        f"{name}_{part}": getattr(split, part)
        for name, split in dataset.splits.items()
        for part in ("images", "labels", "sources")
    }
    names = {"name": dataset.name, "classes": dataset.classes, "sha256": dataset.sha256}
    save_arrays(path, {**arrays, **{key: np.array(value) for key, value in names.items()}})


def _restore(path: Path) -> Dataset:
    stored = load_arrays(path, DataError, "delete it, and it is made again")
    train, validation, test = (
        Split(*(stored[f"{name}_{part}"] for part in ("images", "labels", "sources"))) for name in _SPLITS
    )
    classes = tuple(str(name) for name in stored["classes"])
    return Dataset(str(stored["name"]), classes, train, validation, test, str(stored["sha256"]))
