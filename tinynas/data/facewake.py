"""`facewake`: is there a face in the picture? Scenes composed of real photographs, faces and non-face patches.

Faces and patches are scikit-image's `lfw_subset` (100 of each, 25 x 25 grey, from Labeled Faces in the Wild),
backgrounds the photographs of `photographs.py`. A scene is a crop of a background into which one face (label 1)
or one non-face patch (label 0) is blended. Both go through the same steps with the same distributions (mean and
contrast included), so the label shows only in what the patch depicts. Every face, patch and background belongs to
one split. Image i of a split has its own random stream: a seed fixes every pixel, whatever the sizes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tinynas.data.config import DataConfig
from tinynas.data.photographs import TEST, TRAIN, VALIDATION, FloatImage, Photograph, regions, skimage_data_folder
from tinynas.data.types import Dataset, Split, make_dataset
from tinynas.errors import DataError

CLASSES = ("no face", "face")
DEFAULT_SIZES = (4_000, 1_000, 1_000)
VERSION = 1  # raise when a pixel changes, so that cached sets are made anew

# Patches of lfw_subset that do show (part of) a face, seen by eye.
_PATCHES_WITH_FACES = frozenset({125, 127, 130, 196})
_SHARES = (0.6, 0.8)  # of faces and patches: train up to the first, validation up to the second, test the rest
_PATCH_SIDE = (0.30, 0.60)  # side of the blended patch / side of the image
_CROP_SIDE = (0.3, 1.0)  # side of the background crop / shorter side of its region


@dataclass(frozen=True)
class _Sources:
    """What the scenes of one split are made of."""

    patches: tuple[NDArray[np.int64], NDArray[np.int64]]  # indices into lfw_subset by label
    backgrounds: tuple[tuple[str, tuple[FloatImage, ...]], ...]


def facewake(config: DataConfig) -> Dataset:
    """Compose the three splits that `config` asks for."""
    lfw = _read_lfw()
    faces, others = _shares(config.seed)
    splits = []
    for index, photographs in enumerate((TRAIN, VALIDATION, TEST)):
        size = config.sizes[index] or DEFAULT_SIZES[index]
        sources = _Sources((others[index], faces[index]), _backgrounds(photographs, config.channels))
        splits.append(_split(config, lfw, sources, index, size))
    return make_dataset(config.dataset, CLASSES, (splits[0], splits[1], splits[2]))


def _read_lfw() -> FloatImage:
    """(200, 25, 25) in [0, 1]: 100 faces, then 100 patches without (for most) a face."""
    path = skimage_data_folder() / "lfw_subset.npy"
    try:
        return np.asarray(np.load(path), np.float32)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}; scikit-image >= 0.24 carries it, so reinstall scikit-image") from error


def _shares(seed: int) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    """Indices of (faces, other patches), each shuffled and dealt out to the three splits."""
    rng = np.random.default_rng([seed, 7])
    faces = np.arange(100)
    others = np.array([i for i in range(100, 200) if i not in _PATCHES_WITH_FACES])
    return _deal(rng.permutation(faces)), _deal(rng.permutation(others))


def _deal(indices: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return np.split(indices, [round(share * len(indices)) for share in _SHARES])


def _backgrounds(photographs: tuple[Photograph, ...], channels: int) -> tuple[tuple[str, tuple[FloatImage, ...]], ...]:
    return tuple((photo.name, tuple(_colour(part, channels) for part in regions(photo))) for photo in photographs)


def _colour(pixels: FloatImage, channels: int) -> FloatImage:
    """RGB (height, width, 3) as it is, or as grey (height, width, 1) by ITU-R 601."""
    return pixels if channels == 3 else pixels @ np.array([[0.299], [0.587], [0.114]], np.float32)


def _split(config: DataConfig, lfw: FloatImage, sources: _Sources, index: int, size: int) -> Split:
    """`size` scenes, half of each label (label 1 has one fewer where size is odd)."""
    labels = np.random.default_rng([config.seed, index]).permutation(np.arange(size) % 2).astype(np.int64)
    scenes = [
        _scene(config, lfw, sources, int(label), np.random.default_rng([config.seed, index, number]))
        for number, label in enumerate(labels)
    ]
    return Split(np.stack([pixels for pixels, _ in scenes]), labels, np.array([source for _, source in scenes]))


def _scene(
    config: DataConfig, lfw: FloatImage, sources: _Sources, label: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], str]:
    """One image (resolution, resolution, channels) and "lfw_subset/<patch> + <background>"."""
    name, parts = sources.backgrounds[rng.integers(len(sources.backgrounds))]
    patch = int(rng.choice(sources.patches[label]))
    image = _light(_background(parts, config.resolution, rng), rng)
    image = _blend(image, lfw[patch], rng)
    noisy = image + rng.normal(0, 0.015, image.shape)
    return np.clip(np.rint(noisy * 255), 0, 255).astype(np.uint8), f"lfw_subset/{patch:03d} + {name}"


def _background(parts: tuple[FloatImage, ...], side: int, rng: np.random.Generator) -> FloatImage:
    """A random square of one of the parts, resized and maybe flipped: (side, side, channels) in [0, 1]."""
    areas = np.array([part.shape[0] * part.shape[1] for part in parts], float)
    part = parts[rng.choice(len(parts), p=areas / areas.sum())]
    crop = int(rng.uniform(*_CROP_SIDE) * min(part.shape[:2]))
    top, left = (int(rng.integers(length - crop + 1)) for length in part.shape[:2])
    square = part[top : top + crop, left : left + crop]
    return _resize(square, side)[:, :: _sign(rng)]


def _light(image: FloatImage, rng: np.random.Generator) -> FloatImage:
    """Another gamma, and light that falls off across the image in a random direction; in [0, 1]."""
    side, _, channels = image.shape
    angle, slope, gain = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.3), rng.uniform(0.7, 1.1)
    ramp = np.linspace(-1, 1, side)
    falloff = gain * (1 + slope * (np.cos(angle) * ramp[:, None] + np.sin(angle) * ramp))
    tint = rng.uniform(0.93, 1.07, channels) if channels == 3 else np.ones(1)
    lit: FloatImage = (np.clip(image, 0, 1) ** rng.uniform(0.7, 1.4) * falloff[..., None] * tint).astype(np.float32)
    return np.clip(lit, 0, 1)


def _blend(image: FloatImage, patch: FloatImage, rng: np.random.Generator) -> FloatImage:
    """`image` with `patch` (square, grey) at a random place, size, angle, brightness and contrast, its rim faded out.

    The patch is standardised first: brightness and contrast are drawn anew, alike for faces and other patches.
    """
    side = round(rng.uniform(*_PATCH_SIDE) * len(image))
    top, left = (int(x) for x in rng.integers(len(image) - side + 1, size=2))
    window = image[top : top + side, left : left + side]
    standard = (patch - patch.mean()) / max(float(patch.std()), 0.04)  # flat patches stay nearly flat
    turned = _turn(standard[:, :: _sign(rng)], rng.uniform(-12, 12))
    tint = rng.uniform(0.93, 1.07, image.shape[2]) if image.shape[2] == 3 else np.ones(1)
    brightness = np.clip(window.mean() + rng.uniform(-0.2, 0.2), 0.15, 0.85)
    pixels = (brightness + rng.uniform(0.10, 0.22) * _resize(turned[..., None], side)) * tint
    opacity = _soft_disc(side)[..., None]
    blended = image.copy()
    blended[top : top + side, left : left + side] = window + opacity * (pixels - window)
    return blended


def _soft_disc(side: int) -> FloatImage:
    """(side, side): 1 inside, fading to 0 at the rim of the inscribed circle."""
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    radius = np.hypot(axis[:, None], axis)
    return np.clip((1 - radius) / 0.25, 0, 1)


def _turn(plane: FloatImage, degrees: float) -> FloatImage:
    """A (height, width) plane turned about its centre; corners that come from outside read 0."""
    return np.asarray(Image.fromarray(plane).rotate(degrees, Image.Resampling.BICUBIC))


def _resize(image: FloatImage, side: int) -> FloatImage:
    """(height, width, channels) resized to (side, side, channels); averages where it shrinks."""
    planes = (
        Image.fromarray(image[..., c]).resize((side, side), Image.Resampling.BICUBIC) for c in range(image.shape[2])
    )
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)


def _sign(rng: np.random.Generator) -> int:
    """1 or -1: whether to mirror."""
    return int(rng.integers(2)) * 2 - 1
