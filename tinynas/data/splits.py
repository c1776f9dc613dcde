"""Three disjoint splits with equal shares of every class, fixed by a seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import DataError

SHARES = (0.70, 0.15, 0.15)  # train, validation, test
Sizes = tuple[int | None, int | None, int | None]
Indices = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def stratified(labels: NDArray[np.int64], sizes: Sizes, seed: int, name: str) -> Indices:
    """Indices of (train, validation, test); every class keeps its share in every split and in any stretch of one.

    Sizes left out share what the given ones leave, in the proportion of SHARES.
    Raises DataError if there are fewer images than asked for, or a class has under three.
    """
    total = len(labels)
    wanted = _wanted(total, sizes, name)
    smallest = np.bincount(labels).min()
    if smallest < 3:
        raise DataError(f"{name}: a class has {smallest} images; each needs at least 3, one per split")
    order = _interleaved(labels, np.random.default_rng(seed))
    train, validation, test = np.split(order, np.cumsum(wanted))[:3]
    return train, validation, test


def _wanted(total: int, sizes: Sizes, name: str) -> tuple[int, int, int]:
    """Images per split."""
    given = sum(size or 0 for size in sizes)
    open_shares = sum(share for share, size in zip(SHARES, sizes, strict=True) if size is None)
    rest = total - given
    if rest < 0 or (given and open_shares > 0 and rest < 3):
        raise DataError(f"{name}: has {total} images, but the sizes in [data] ask for {given}; lower them")
    wanted = [
        size if size is not None else int(rest * share / open_shares) for share, size in zip(SHARES, sizes, strict=True)
    ]
    if None in sizes:  # what rounding left over
        wanted[sizes.index(None)] += total - sum(wanted)
    return wanted[0], wanted[1], wanted[2]


def _interleaved(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """All indices, shuffled within each class, the classes spread evenly: any stretch holds each class's share."""
    position = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        position[rng.permutation(members)] = (np.arange(len(members)) + rng.random()) / len(members)
    return np.argsort(position, kind="stable")
