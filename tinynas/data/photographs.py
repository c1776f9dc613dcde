"""The real photographs inside the scikit-image wheel that serve as backgrounds, and which parts show no face.

Left out on purpose: `chelsea` (all of it a cat's face), `coins` (embossed heads), `motorcycle_right` (the same scene
as `motorcycle_left`), drawings and masks. Nothing is downloaded: only files of the wheel are named here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tinynas.errors import DataError

FloatImage = NDArray[np.float32]
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels

_LONGEST_SIDE = 640  # pixels; larger photographs are shrunk to it once, so that every crop costs little


@dataclass(frozen=True)
class Photograph:
    """One file and the rectangles of it that show no face; no rectangles means all of it."""

    file: str
    regions: tuple[Box, ...] = ()

    @property
    def name(self) -> str:
        return self.file.partition(".")[0]


# The face and collar of `astronaut` fill (150, 0)-(310, 200), the head in `camera` (150, 40)-(310, 220), both noted
# by eye on the 512 x 512 originals; the regions below are what is left, as rectangles.
_ASTRONAUT = ((0, 0, 150, 512), (310, 0, 512, 512), (0, 200, 512, 512))
_CAMERA = ((0, 0, 150, 512), (310, 0, 512, 512), (0, 220, 512, 512))

# One row per split, each with scenes, textures and smooth surfaces, so that no split is a world of its own.
TRAIN = (
    Photograph("astronaut.png", _ASTRONAUT),
    Photograph("brick.png"),
    Photograph("clock_motion.png"),
    Photograph("coffee.png"),
    Photograph("hubble_deep_field.jpg"),
    Photograph("ihc.png"),
    Photograph("motorcycle_left.png"),
    Photograph("retina.jpg"),
)
VALIDATION = (
    Photograph("cell.png"),
    Photograph("gravel.png"),
    Photograph("page.png"),
    Photograph("rocket.jpg"),
)
TEST = (
    Photograph("camera.png", _CAMERA),
    Photograph("grass.png"),
    Photograph("moon.png"),
    Photograph("text.png"),
)


def skimage_data_folder() -> Path:
    """Where the scikit-image wheel keeps its data files."""
    import skimage

    return Path(skimage.__file__).parent / "data"


def read_photograph(photograph: Photograph) -> FloatImage:
    """RGB pixels in [0, 1], shape (height, width, 3). Raises DataError if the wheel lacks the file."""
    path = skimage_data_folder() / photograph.file
    try:
        with Image.open(path) as image:
            rgb = image.convert("RGB")
            rgb.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.BOX)
            return np.asarray(rgb).astype(np.float32) / np.float32(255)
    except OSError as error:
        raise DataError(f"{path}: {error}; scikit-image >= 0.24 carries it, so reinstall scikit-image") from error


def regions(photograph: Photograph) -> tuple[FloatImage, ...]:
    """The face-free parts of a photograph, each (height, width, 3) in [0, 1]."""
    pixels = read_photograph(photograph)
    whole = ((0, 0, pixels.shape[1], pixels.shape[0]),)
    return tuple(pixels[top:bottom, left:right] for left, top, right, bottom in photograph.regions or whole)
