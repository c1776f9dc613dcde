"""Differences of accuracies, with intervals that know that images of one subject are alike."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.judged import difference
from tinynas.data.types import Split


def split_of(subjects: int, images_each: int) -> Split:
    sources = np.array([f"face/{i} + sky" for i in range(subjects) for _ in range(images_each)])
    n = len(sources)
    return Split(np.zeros((n, 1, 1, 1), np.uint8), np.zeros(n, np.int64), sources)


def test_interval_is_the_binomial_one_where_images_are_independent() -> None:
    rng = np.random.default_rng(0)
    split = split_of(2000, 1)
    first, second = (rng.random((2, 2000)) < [[0.8], [0.7]]).astype(float)
    found = difference(first, second, split)
    low, high = found["interval_95"]
    assert found["difference"] == pytest.approx(first.mean() - second.mean())
    assert (high - low) / 2 == pytest.approx(1.96 * np.std(first - second) / np.sqrt(2000), rel=0.1)


def test_many_images_of_few_subjects_count_as_few() -> None:
    rng = np.random.default_rng(0)
    split = split_of(20, 100)
    of_subject = np.repeat(rng.random(20) < 0.5, 100).astype(float)
    narrow = difference(rng.permutation(of_subject), np.zeros(2000), split)["interval_95"]
    wide = difference(of_subject, np.zeros(2000), split)["interval_95"]
    assert wide[1] - wide[0] > 5 * (narrow[1] - narrow[0])
    assert difference(of_subject, np.zeros(2000), split)["subjects"] == 20
