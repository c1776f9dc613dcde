"""Points of a space as vectors of indices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import ConfigError

Arch = tuple[int, ...]
"""A point of a space: an index for each of its choices. What they are, each space says."""

Archs = NDArray[np.int64]
"""Archs (n, genes)."""


def checked(arch: Iterable[int], gene_sizes: Sequence[int]) -> Arch:
    """`arch` as a tuple of Python ints. `gene_sizes`: the number of choices at each position.

    Raises:
        ConfigError: wrong length or an index out of range.
    """
    genes = tuple(int(gene) for gene in arch)
    if len(genes) != len(gene_sizes):
        wanted = len(gene_sizes)
        raise ConfigError(f"arch {list(genes)} has {len(genes)} entries, this space's archs have {wanted}")
    for position, (gene, size) in enumerate(zip(genes, gene_sizes, strict=True)):
        if not 0 <= gene < size:
            raise ConfigError(f"arch {list(genes)}: entry {position} is {gene}, but there are {size} choices")
    return genes
