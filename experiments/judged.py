"""Accuracy on the test split, and how sure it is: images of one face (or patch) are not independent of each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinynas.data.types import Split
from tinynas.nets.checkpoint import load_network
from tinynas.train.supervised import predict

Hits = NDArray[np.float64]  # (images,), 1 where the label is right; a mean over seeds where there are several
_DRAWS = 2000


def hits(network: Path, split: Split) -> Hits:
    """Which images of `split` the checkpoint labels right."""
    right: Hits = (predict(load_network(network), split.images).argmax(1) == split.labels).astype(np.float64)
    return right


def mean_hits(networks: Sequence[Path], split: Split) -> Hits:
    """Share of the networks (one per seed) that label each image right."""
    shares: Hits = np.mean([hits(network, split) for network in networks], axis=0)
    return shares


def difference(first: Hits, second: Hits, split: Split, seed: int = 0) -> Mapping[str, Any]:
    """Accuracy of `first` less that of `second`, with a 95 % interval of a bootstrap over the images' subjects.

    The subject is the part of an image's source before " + ": which face or patch it shows. All images of a subject
    are drawn together (cluster bootstrap, Field and Welsh 2007), so few subjects give a wide interval.
    """
    subjects = np.unique([str(source).split(" + ")[0] for source in split.sources], return_inverse=True)[1]
    sums = np.bincount(subjects, weights=first - second)
    counts = np.bincount(subjects)
    drawn = np.random.default_rng(seed).integers(0, len(sums), (_DRAWS, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return {
        "difference": float((first - second).mean()),
        "interval_95": [float(low), float(high)],
        "subjects": len(sums),
    }
