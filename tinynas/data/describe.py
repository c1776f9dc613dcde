"""What a user's images are like, for `tinynas new` to propose an experiment."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tinynas.data.coco import class_names, find_annotations, list_coco
from tinynas.data.config import DataConfig, Kind
from tinynas.data.files import FileTree
from tinynas.data.folder import list_files
from tinynas.data.images import UNREADABLE
from tinynas.errors import DataError

_PROPOSED = (32, 48, 64, 80, 96)  # image sides, pixels: more would not fit the boards that this is for
_COLOURFUL = 0.1  # share of images that must have colour for RGB to be proposed


@dataclass(frozen=True)
class Description:
    """Every image of a set was decoded to make this."""

    kind: Kind
    path: Path
    annotations: Path | None  # COCO only
    classes: tuple[str, ...]
    counts: tuple[int, ...]  # images per class, readable or not
    unreadable: tuple[str, ...]  # full paths
    median_size: tuple[int, int]  # width, height of the readable images, pixels
    coloured: float  # share of the readable images that are not grey

    @property
    def resolution(self) -> int:
        """Proposed side: the largest usual one that does not magnify the median image."""
        return max((side for side in _PROPOSED if side <= min(self.median_size)), default=_PROPOSED[0])

    @property
    def channels(self) -> int:
        """Proposed colour: 3 where a good part of the images has some, else 1."""
        return 3 if self.coloured >= _COLOURFUL else 1


@dataclass(frozen=True)
class _Found:
    """A set that was listed but not read."""

    kind: Kind
    path: Path
    annotations: Path | None
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    tree: FileTree
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Look:
    """One image: its size, or that it cannot be read."""

    size: tuple[int, int] | None
    coloured: bool


def describe(path: Path, on_image: Callable[[int, int], None] | None = None) -> Description:
    """A COCO set (there are annotations in `path`) or else an image folder or zip.

    `on_image(done, total)` follows progress. Raises DataError where not even the list of images can be made.
    """
    return describe_coco(path, on_image) if _is_coco(path) else describe_folder(path, on_image)


def describe_folder(path: Path, on_image: Callable[[int, int], None] | None = None) -> Description:
    """Classes are the subfolders (`folder.list_files`); unreadable images are listed, not refused."""
    files = list_files(path)
    counts = np.bincount(files.labels, minlength=len(files.classes))
    found = _Found("folder", path, None, files.classes, tuple(counts.tolist()), files.tree, files.names)
    return _description(found, _look_at(found, on_image))


def describe_coco(path: Path, on_image: Callable[[int, int], None] | None = None) -> Description:
    """Person against no person, by the rule of `coco.list_coco`."""
    config = DataConfig.model_validate({"dataset": "coco", "path": path})
    found = list_coco(config)
    counts = np.bincount(found.labels, minlength=2)
    listed = _Found(
        "coco", path, found.annotations, class_names(config), tuple(counts.tolist()), found.tree(), found.names
    )
    return _description(listed, _look_at(listed, on_image))


def _is_coco(path: Path) -> bool:
    if path.suffix.lower() == ".json":
        return True
    if not path.is_dir():
        return False
    try:
        find_annotations(path)
    except DataError as error:
        return "several" in str(error)  # then it is COCO, and the user has to say which
    return True


def _look_at(found: _Found, on_image: Callable[[int, int], None] | None) -> list[_Look]:
    from joblib import Parallel, delayed

    looks = []
    workers = Parallel(n_jobs=2, prefer="threads", return_as="generator")
    for look in workers(delayed(_look)(found.tree, name) for name in found.names):
        looks.append(look)
        if on_image is not None:
            on_image(len(looks), len(found.names))
    return looks


def _look(tree: FileTree, name: str) -> _Look:
    try:
        with Image.open(io.BytesIO(tree.read(name))) as image:
            small = np.asarray(image.convert("RGB").resize((16, 16), Image.Resampling.BOX), np.int16)
            return _Look(image.size, bool((small.max(2) - small.min(2)).max() > 16))
    except UNREADABLE:
        return _Look(None, False)


def _description(found: _Found, looks: Sequence[_Look]) -> Description:
    readable = [look for look in looks if look.size is not None]
    if not readable:
        raise DataError(f"{found.path}: none of the {len(found.names)} images can be read")
    width, height = np.median(np.array([look.size for look in readable]), axis=0)
    bad = [name for name, look in zip(found.names, looks, strict=True) if look.size is None]
    return Description(
        kind=found.kind,
        path=found.path,
        annotations=found.annotations,
        classes=found.classes,
        counts=found.counts,
        unreadable=tuple(f"{found.tree.root}/{name}" for name in bad),
        median_size=(int(width), int(height)),
        coloured=float(np.mean([look.coloured for look in readable])),
    )
