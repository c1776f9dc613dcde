"""Image files and bytes to pixels, always by the same steps."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tinynas.errors import DataError

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
UNREADABLE = (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError)


def read_image(source: Path | BinaryIO, resolution: int, channels: Literal[1, 3], name: str = "") -> NDArray[np.uint8]:
    """Decode and squash to (resolution, resolution, channels), averaging where it shrinks.

    Raises DataError naming `name` (default: the path) if the image is missing, truncated or not an image.
    """
    try:
        with Image.open(source) as image:
            colour = image.convert("L" if channels == 1 else "RGB")
            small = colour.resize((resolution, resolution), Image.Resampling.BILINEAR)
            return np.asarray(small).reshape(resolution, resolution, channels)
    except UNREADABLE as error:
        raise DataError(f"{name or source}: cannot read this image ({error}); mend or remove the file") from error


def at_resolution(images: NDArray[np.uint8], resolution: int) -> NDArray[np.uint8]:
    """(n, h, w, c) at (n, resolution, resolution, c), averaging where it shrinks; as they are if they have that size.

    Training, the int8 network and the board all see these bytes.
    """
    if images.shape[1:3] == (resolution, resolution):
        return images
    size = (resolution, resolution)
    planes = images.transpose(0, 3, 1, 2).reshape(-1, *images.shape[1:3])
    small = [np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR)) for plane in planes]
    return np.ascontiguousarray(np.stack(small).reshape(len(images), -1, *size).transpose(0, 2, 3, 1))
