"""Splits are disjoint, of the sizes asked for, and keep each class's share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.data.splits import stratified
from tinynas.errors import DataError


@given(st.lists(st.integers(3, 40), min_size=2, max_size=5), st.integers(0, 5))
def test_all_images_once_each_class_in_proportion(counts: list[int], seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    parts = stratified(labels, (None, None, None), seed, "set")
    together = np.concatenate(parts)
    assert len(set(together.tolist())) == len(together) == len(labels)
    for part in parts:
        for label, count in enumerate(counts):
            assert abs((labels[part] == label).sum() - count * len(part) / len(labels)) < 2


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20))
def test_sizes_are_exact(train: int, validation: int, test: int) -> None:
    labels = np.arange(60) % 3
    assert [len(part) for part in stratified(labels, (train, validation, test), 0, "set")] == [train, validation, test]


def test_refuses_more_than_there_is() -> None:
    with pytest.raises(DataError, match="set: has 60 images"):
        stratified(np.arange(60) % 3, (50, 11, 0), 0, "set")
    with pytest.raises(DataError, match="at least 3"):
        stratified(np.array([0, 0, 0, 1, 1]), (None, None, None), 0, "set")
    with pytest.raises(DataError, match="set: a class has 1 images"):  # no sizes were given, so none is to be lowered
        stratified(np.array([0, 1]), (None, None, None), 0, "set")
