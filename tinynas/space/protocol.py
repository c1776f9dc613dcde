"""What every space offers, whether its archs choose per stage (`SearchSpace`) or per block (`ElasticSpace`)."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tinynas.space.netspec import BlockSpec, NetSpec
from tinynas.space.space import Arch, Archs


class Space(Protocol):
    """Networks by integer vectors."""

    def canonical(self, arch: Arch) -> Arch:
        """The first arch that is the same network."""

    def netspec(self, arch: Arch) -> NetSpec:
        """The network of an arch."""

    def label(self, arch: Arch) -> str:
        """A short name for tables."""

    def sample(self, rng: np.random.Generator) -> Arch:
        """A random canonical arch."""

    @property
    def gene_sizes(self) -> tuple[int, ...]:
        """Number of choices at each position of an arch."""

    def mutate(self, arch: Arch, rng: np.random.Generator, rate: float = 0.1) -> Arch:
        """`arch` with genes changed, each with probability `rate`."""

    def crossover(self, mother: Arch, father: Arch, rng: np.random.Generator) -> Arch:
        """Genes of both."""

    def smallest(self) -> Arch:
        """The arch with the smallest of every choice."""

    def largest(self) -> Arch:
        """The arch with the largest of every choice."""

    def samples(self, rng: np.random.Generator, count: int) -> Archs:
        """(count, genes) archs as `sample` draws them."""

    def frames(self, archs: Archs) -> NDArray[np.int64]:
        """(n,): equal for archs whose networks differ in their blocks only."""

    def block_ids(self, archs: Archs) -> NDArray[np.int64]:
        """(n, columns): what a network consists of between stem and head, column by column, for `blocks`."""

    def blocks(self, column: int, number: int) -> tuple[BlockSpec, ...]:
        """The blocks that `block_ids` numbers so; of a frame and these, the network is made."""
