"""What every space offers, whether its archs choose per stage (`SearchSpace`) or per block (`ElasticSpace`)."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from tinynas.space.netspec import NetSpec
from tinynas.space.space import Arch


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

    def smallest(self) -> Arch:
        """The arch with the smallest of every choice."""

    def largest(self) -> Arch:
        """The arch with the largest of every choice."""
