"""Reads a folder in the layout of the MLPerf Tiny runner: y_labels.csv and raw uint8 .bin files (vww01, ic01)."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from tinynas.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tinynas.data.types import Split

LABELS = "y_labels.csv"


def is_one(folder: Path) -> bool:
    """Does `folder` hold the runner's list of labels?"""
    return (folder / LABELS).is_file()


def read(folder: Path, shape: tuple[int, int, int], *, signed: bool = False) -> Split:
    """All images, as one split.

    A grey model is fed round(0.299 R + 0.587 G + 0.114 B) (ITU-R BT.601) of RGB files. If `signed`, files hold int8
    (features of sound), and 128 is added.

    Raises:
        DataError: a file is missing, has another size, or a row of the list is malformed.
    """
    import numpy as np

    from tinynas.data.types import Split

    rows = _rows(folder / LABELS)
    images = np.stack([_image(_find(folder, name), shape) for name, _ in rows])
    if signed:
        images ^= 0x80
    labels = np.array([label for _, label in rows], np.int64)
    return Split(images, labels, np.array([name for name, _ in rows]))


def _rows(path: Path) -> list[tuple[str, int]]:
    """(file name, class) of every line; the number of classes stands between them."""
    try:
        with path.open(newline="") as file:
            rows = [(name, int(label)) for name, _, label in csv.reader(file)]
    except ValueError as error:
        raise DataError(f"{path}: wanted lines of `file,classes,class` ({error})") from error
    if not rows:
        raise DataError(f"{path}: lists no file")
    return rows


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / "bin" / name):
        if path.is_file():
            return path
    raise DataError(f"{folder / name}: listed in {LABELS}, but not there")


def _image(path: Path, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    import numpy as np

    height, width, channels = shape
    raw = np.frombuffer(path.read_bytes(), np.uint8)
    if raw.size == height * width * channels:
        return raw.reshape(shape)
    if channels == 1 and raw.size == height * width * 3:
        luma = raw.reshape(height, width, 3) @ np.array([0.299, 0.587, 0.114])
        grey: NDArray[np.uint8] = np.round(luma).astype(np.uint8).reshape(shape)
        return grey
    raise DataError(
        f"{path}: {raw.size} bytes; the model wants {height} x {width} x {channels} = {height * width * channels}"
    )
