"""facewake: disjoint sources, balanced labels, no difference between the classes but the patch's content."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tinynas.data.config import DataConfig
from tinynas.data.facewake import _PATCHES_WITH_FACES, facewake
from tinynas.data.photographs import TEST, TRAIN, VALIDATION, read_photograph, regions
from tinynas.data.types import Dataset, Split


@cache
def make(seed: int = 0, train: int = 300, **changes: object) -> Dataset:
    settings = {"train_images": train, "validation_images": 150, "test_images": 150, "seed": seed} | changes
    return facewake(DataConfig.model_validate({"dataset": "facewake"} | settings))


def parts(split: Split) -> tuple[set[str], set[str]]:
    """(patches, backgrounds) that the split's scenes are made of."""
    pairs = [str(source).split(" + ") for source in split.sources]
    return {patch for patch, _ in pairs}, {background for _, background in pairs}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_source_occurs_in_two_splits(seed: int) -> None:
    """Faces, patches and backgrounds: each belongs to one split, and nearly all are used."""
    data = make(seed)
    for kind in (0, 1):
        used = [parts(split)[kind] for split in data.splits.values()]
        assert sum(map(len, used)) == len(set.union(*used))
    patches = set.union(*(parts(split)[0] for split in data.splits.values()))
    assert len(patches) > 180


def test_labels_say_what_the_patch_is() -> None:
    """lfw_subset holds 100 faces, then 100 other patches; those that do show a face are never used."""
    for split in make().splits.values():
        numbers = np.array([int(str(source)[len("lfw_subset/") :][:3]) for source in split.sources])
        np.testing.assert_array_equal(split.labels, numbers < 100)
        assert not _PATCHES_WITH_FACES & set(numbers.tolist())


def test_every_photograph_is_in_one_split_and_in_the_wheel() -> None:
    names = [photo.name for photo in (*TRAIN, *VALIDATION, *TEST)]
    assert len(names) == len(set(names))
    for photo in (*TRAIN, *VALIDATION, *TEST):
        assert all(min(part.shape[:2]) >= 100 for part in regions(photo)), photo


def test_regions_leave_the_faces_out() -> None:
    """The noted rectangles around the heads lie in none of the regions used."""
    heads = {"astronaut": (160, 20, 300, 195), "camera": (155, 45, 305, 215)}  # left, top, right, bottom
    for photo in (*TRAIN, *TEST):
        if photo.name in heads:
            left, top, right, bottom = heads[photo.name]
            assert read_photograph(photo).shape == (512, 512, 3)
            for a, b, c, d in photo.regions:
                assert c <= left or a >= right or d <= top or b >= bottom


def test_a_seed_fixes_every_pixel_whatever_the_sizes() -> None:
    first, again, other, longer = make(0), make.__wrapped__(0), make(1), make(0, validation_images=200)
    assert first.sha256 == again.sha256
    assert first.sha256 != other.sha256
    np.testing.assert_array_equal(first.train.images, longer.train.images)


@pytest.mark.parametrize(("resolution", "channels"), [(64, 1), (96, 3), (40, 3)])
def test_resolution_and_colour(resolution: int, channels: int) -> None:
    data = make(0, 20, validation_images=10, test_images=10, resolution=resolution, channels=channels)
    assert data.input_shape == (resolution, resolution, channels)
    assert data.train.images.dtype == np.uint8 and data.train.images.std() > 20


def test_classes_are_balanced_and_alike_but_for_the_patch() -> None:
    """Brightness, contrast and backgrounds carry next to nothing about the label."""
    data = make(0, 1_000)
    train = data.train
    assert abs(train.labels.mean() - 0.5) < 0.01
    means = train.images.reshape(len(train), -1).mean(1)
    spreads = train.images.reshape(len(train), -1).std(1)
    for values in (means, spreads):
        faces, others = values[train.labels == 1], values[train.labels == 0]
        assert abs(faces.mean() - others.mean()) < 0.25 * values.std()
    backgrounds = np.array([str(source).split(" + ")[1] for source in train.sources])
    for name in set(backgrounds.tolist()):
        assert abs(train.labels[backgrounds == name].mean() - 0.5) < 0.15
