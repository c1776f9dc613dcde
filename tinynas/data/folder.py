"""`folder`: one subfolder per class, or a zip of that; also inside train / validation / test folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from tinynas.data.config import DataConfig
from tinynas.data.files import FileTree, decode, open_tree
from tinynas.data.splits import Indices, stratified
from tinynas.data.types import Dataset, Split, make_dataset
from tinynas.errors import ConfigError, DataError

VERSION = 1
_SPLIT_FOLDERS = {
    "train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1, "test": 2, "testing": 2,
}  # fmt: skip


@dataclass(frozen=True)
class LabelledFiles:
    """Image files of a tree with their class, and the split they were put in by their owner, if any."""

    tree: FileTree
    classes: tuple[str, ...]
    names: tuple[str, ...]
    labels: NDArray[np.int64]  # (n,), index into classes
    given_split: NDArray[np.int64]  # (n,), 0 train, 1 validation, 2 test, -1 not said


def image_folder(config: DataConfig) -> Dataset:
    """The images under `config.path` in three splits; splits that the folder makes are kept."""
    files = list_files(data_path(config), config.classes)
    parts = _parts(files, config)
    used = np.concatenate(parts)
    names = [files.names[i] for i in used]
    images = decode(files.tree, names, config.resolution, config.channels)
    train, validation, test = (
        Split(images[part], files.labels[used[part]], np.array(names)[part])
        for part in np.split(np.arange(len(used)), np.cumsum([len(part) for part in parts])[:2])
    )
    return make_dataset(config.dataset, files.classes, (train, validation, test))


def class_names(config: DataConfig) -> tuple[str, ...]:
    """`data.classes`, or the class folders; no image is read. Raises as `list_files`."""
    return config.classes or list_files(data_path(config)).classes


def fingerprint(config: DataConfig) -> str:
    """Changes when the files do."""
    return f"{VERSION} {open_tree(data_path(config)).stamp}"


def data_path(config: DataConfig) -> Path:
    """`config.path`. Raises ConfigError if it was not set."""
    if config.path is None:
        raise ConfigError(f"data.path is not set; dataset '{config.dataset}' needs the folder of your images")
    return config.path


def list_files(root: Path, classes: Sequence[str] | None = None) -> LabelledFiles:
    """Every image with its class, without reading one. `classes` fixes names and order; else sorted by name.

    Raises DataError: no images, an image outside a class folder, a folder that is no wanted class, an empty class.
    """
    tree = open_tree(root)
    prefix = _wrapper(tree)
    has_splits = _has_splits(tree, prefix)
    depth = len(prefix) + has_splits  # number of path parts before the class
    names = _in_class_folders(tree, depth)
    labels = [PurePosixPath(name).parts[depth] for name in names]
    found = {PurePosixPath(name).parts[depth] for name in tree.folders if len(PurePosixPath(name).parts) > depth}
    known = _check_classes(root, found, set(labels), classes)
    splits = [_SPLIT_FOLDERS[PurePosixPath(name).parts[depth - 1].lower()] if has_splits else -1 for name in names]
    return LabelledFiles(tree, known, names, np.array([known.index(x) for x in labels], np.int64), np.array(splits))


def _wrapper(tree: FileTree) -> tuple[str, ...]:
    """The one folder that zips often put around everything, as path parts; () if there is none."""
    tops = {PurePosixPath(name).parts[0] for name in tree.images}
    only = next(iter(tops)) if len(tops) == 1 else ""
    wraps = any(len(PurePosixPath(name).parts) >= 3 for name in tree.images) and only.lower() not in _SPLIT_FOLDERS
    return (only,) if only and wraps else ()


def _has_splits(tree: FileTree, prefix: tuple[str, ...]) -> bool:
    tops = {PurePosixPath(name).parts[len(prefix)].lower() for name in tree.images}
    return bool(tops) and tops <= _SPLIT_FOLDERS.keys()


def _in_class_folders(tree: FileTree, depth: int) -> tuple[str, ...]:
    if not tree.images:
        raise DataError(f"{tree.root}: no images found; wanted one subfolder per class with image files in it")
    for name in tree.images:
        if len(PurePosixPath(name).parts) < depth + 2:
            raise DataError(f"{tree.root}/{name}: lies outside a class folder; move it into one subfolder per class")
    return tree.images


def _check_classes(root: Path, found: set[str], filled: set[str], wanted: Sequence[str] | None) -> tuple[str, ...]:
    classes = tuple(wanted) if wanted is not None else tuple(sorted(found))
    if unknown := sorted(found - set(classes)):
        raise DataError(f"{root}/{unknown[0]}: unknown label; data.classes lists {', '.join(classes)}")
    for name in classes:
        if name not in filled:
            raise DataError(f"{root}/{name}: class without images; put some there or remove the class")
    if len(classes) < 2:
        raise DataError(f"{root}: only one class ({classes[0]}); a classifier needs at least two subfolders")
    return classes


def _parts(files: LabelledFiles, config: DataConfig) -> Indices:
    """Indices into `files` of (train, validation, test)."""
    name = str(files.tree.root)
    if (files.given_split < 0).all():
        return stratified(files.labels, config.sizes, config.seed, name)
    pools = [np.flatnonzero(files.given_split == split) for split in range(3)]
    if not len(pools[0]) or not len(pools[2]):
        raise DataError(f"{name}: has split folders but no images in 'train' or none in 'test'; give both or neither")
    if not len(pools[1]):  # the common case: validation comes out of train
        pools[0], pools[1] = _carve(pools[0], files.labels, config)
    chosen = [_limit(pool, files.labels, size, config) for pool, size in zip(pools, config.sizes, strict=True)]
    return chosen[0], chosen[1], chosen[2]


def _carve(
    pool: NDArray[np.int64], labels: NDArray[np.int64], config: DataConfig
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`pool` as (train, validation)."""
    wanted = config.validation_images or max(1, round(0.15 * len(pool)))
    train, validation, _ = stratified(labels[pool], (len(pool) - wanted, wanted, 0), config.seed, str(config.path))
    return pool[train], pool[validation]


def _limit(
    pool: NDArray[np.int64], labels: NDArray[np.int64], size: int | None, config: DataConfig
) -> NDArray[np.int64]:
    """At most `size` of `pool`, shuffled, each class keeping its share in any stretch."""
    kept, _, _ = stratified(labels[pool], (size or len(pool), 0, 0), config.seed, str(config.path))
    return pool[kept]
