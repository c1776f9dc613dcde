"""`coco`: visual wake words from a COCO annotation file and its images (Chowdhery et al., arXiv 1906.05721).

Label 1 if some box of the `positive` category (person) covers at least `min_area_fraction` of the image, else 0.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinynas.data.config import DataConfig
from tinynas.data.files import FileTree, decode
from tinynas.data.folder import data_path
from tinynas.data.splits import stratified
from tinynas.data.types import Dataset, Split, make_dataset
from tinynas.errors import DataError

VERSION = 1
_NAMES = ("annotations.json", "instances*.json", "annotations/instances*.json", "annotations/*.json", "*.json")


@dataclass(frozen=True)
class CocoImages:
    """The images of one annotation file, with their labels by the visual-wake-words rule."""

    annotations: Path
    folder: Path  # the image files' folder
    names: tuple[str, ...]  # file names inside `folder`, sorted
    labels: NDArray[np.int64]  # (n,), 1 = shows the positive category

    def tree(self) -> FileTree:
        return FileTree(self.folder, self.names, (), "", lambda name: (self.folder / name).read_bytes())


def coco(config: DataConfig) -> Dataset:
    """The images of a COCO set, labelled and split."""
    found = list_coco(config)
    parts = stratified(found.labels, config.sizes, config.seed, str(found.annotations))
    names = np.array(found.names)
    splits = [
        Split(
            decode(found.tree(), list(names[part]), config.resolution, config.channels), found.labels[part], names[part]
        )
        for part in parts
    ]
    return make_dataset(config.dataset, class_names(config), (splits[0], splits[1], splits[2]))


def class_names(config: DataConfig) -> tuple[str, ...]:
    """Of label 0 and label 1."""
    return f"no {config.positive}", config.positive


def fingerprint(config: DataConfig) -> str:
    """Changes when the annotations or the image files do."""
    found = list_coco(config)
    stats = [(name, (found.folder / name).stat()) for name in found.names]
    rows = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    return f"{VERSION} {hashlib.sha256(repr(rows).encode() + found.labels.tobytes()).hexdigest()}"


def list_coco(config: DataConfig) -> CocoImages:
    """Every image of the set with its label; the files are there, but not read.

    Raises DataError: no or several annotation files, malformed JSON, unknown category, missing images, empty class.
    """
    path = find_annotations(data_path(config), config.annotations)
    content = read_annotations(path)
    try:
        rows = sorted(_rows(path, content, config))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: an entry lacks or garbles {error}; wanted a COCO instances file") from error
    names, labels = tuple(name for name, _ in rows), np.array([label for _, label in rows], np.int64)
    _check_labels(path, labels, config)
    return CocoImages(path, _image_folder(path, names), names, labels)


def _rows(path: Path, content: Mapping[str, Any], config: DataConfig) -> Iterator[tuple[str, int]]:
    """(file name, label) of every image."""
    largest = _largest_box(path, content, _category(path, content, config.positive))
    for image in content["images"]:
        smallest_counted = config.min_area_fraction * image["width"] * image["height"]
        yield str(image["file_name"]), int(largest.get(image["id"], -1.0) >= smallest_counted)


def find_annotations(path: Path, chosen: Path | None = None) -> Path:
    """The instances JSON: `chosen`, or `path` itself, or the one under the folder `path`."""
    if chosen is not None:
        options = [chosen, path / chosen]
        if found := next((option for option in options if option.is_file()), None):
            return found
        raise DataError(f"{chosen}: no such annotation file, neither here nor in {path}")
    if path.is_file():
        return path
    if not path.is_dir():
        raise DataError(f"{path}: no such folder; set data.path to the COCO folder or its annotation file")
    for pattern in _NAMES:
        matches = sorted(path.glob(pattern))
        if len(matches) > 1:
            raise DataError(
                f"{path}: several annotation files ({', '.join(match.name for match in matches)}); "
                "set data.annotations to one of them"
            )
        if matches:
            return matches[0]
    raise DataError(f"{path}: no annotation file; wanted annotations.json or annotations/instances_*.json")


def read_annotations(path: Path) -> dict[str, Any]:
    """The parsed JSON with its three lists. Raises DataError if it is no COCO instances file."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot read these annotations ({error})") from error
    for key in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise DataError(f"{path}: no list '{key}'; wanted a COCO instances file")
    return dict(content)


def _category(path: Path, content: Mapping[str, Any], name: str) -> int:
    known = {str(category["name"]): int(category["id"]) for category in content["categories"]}
    if name not in known:
        raise DataError(f"{path}: unknown category {name!r} (data.positive); it has {', '.join(sorted(known))}")
    return known[name]


def _largest_box(path: Path, content: Mapping[str, Any], category: int) -> dict[int, float]:
    """Image id to the area of its largest box of `category`, in pixels; images without one are left out."""
    known = {image["id"] for image in content["images"]}
    largest: dict[int, float] = {}
    for box in content["annotations"]:
        if box["image_id"] not in known:
            raise DataError(f"{path}: annotation {box.get('id')} names image {box['image_id']}, which is not listed")
        if box["category_id"] == category:
            _, _, width, height = box["bbox"]
            largest[box["image_id"]] = max(largest.get(box["image_id"], 0.0), width * height)
    return largest


def _check_labels(path: Path, labels: NDArray[np.int64], config: DataConfig) -> None:
    for label, name in enumerate((f"no {config.positive}", config.positive)):
        if not (labels == label).any():
            raise DataError(f"{path}: class without images: {name!r}; {len(labels)} images are all of the other class")


def _image_folder(annotations: Path, names: tuple[str, ...]) -> Path:
    """The folder near the annotation file that holds all of `names`."""
    stem = annotations.stem.removeprefix("instances_")
    options = [
        base / part
        for base in (annotations.parent, annotations.parent.parent)
        for part in ("images", stem, f"images/{stem}", "")
    ]
    held = {folder: sum((folder / name).is_file() for name in names[:50]) for folder in options if folder.is_dir()}
    best = max(held, key=lambda folder: held[folder])
    for name in names:
        if not (best / name).is_file():
            raise DataError(f"{best / name}: missing image, listed in {annotations}")
    return best
