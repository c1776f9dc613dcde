"""A search problem that is cheap, deterministic and has a trade-off: MACs against a made-up error."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tests.space.spaces import FACES
from tinynas.search.problem import Objective, SearchProblem
from tinynas.space.layers import layers
from tinynas.space.space import Arch, SearchSpace

SMALL_FACES = FACES.with_changes(stages=FACES.stages[:2])
"""648 networks: small enough to enumerate."""


def macs(space: SearchSpace, arch: Arch) -> float:
    return float(sum(layer.macs for layer in layers(space.netspec(arch))))


def error(space: SearchSpace, arch: Arch) -> float:
    """Falls with depth, expand ratio and kernel, more in later stages, with diminishing returns; and with pixels."""
    choice = space.decode(arch)
    effort = sum(
        weight * option.depth * option.expand_ratio * (1 + 0.2 * option.kernel)
        for weight, option in enumerate(choice.stages, start=1)
    )
    return 0.5 / (1 + effort / 40) + 0.05 * (choice.resolution == 48)


@dataclass
class Lab:
    """Counts what it is asked, remembers its answers, and may break down."""

    space: SearchSpace
    batches: list[list[Arch]] = field(default_factory=list)
    store: dict[Arch, float] = field(default_factory=dict)
    break_after: int = 10**9  # new measurements

    def measure(self, archs: Sequence[Arch]) -> list[float]:
        self.batches.append(list(archs))
        for arch in archs:
            if arch not in self.store:
                if len(self.store) >= self.break_after:
                    raise KeyboardInterrupt
                self.store[arch] = macs(self.space, arch)
        return [self.store[arch] for arch in archs]


def problem(lab: Lab, limit_macs: float = 1e12, initial: tuple[Arch, ...] = ()) -> SearchProblem:
    space = lab.space
    return SearchProblem(
        space,
        (
            Objective("error", lambda archs: [error(space, arch) for arch in archs]),
            Objective("macs", lab.measure),
        ),
        lambda archs: [max(0.0, macs(space, arch) / limit_macs - 1) for arch in archs],
        space.sample,
        initial,
    )


def every_arch(space: SearchSpace) -> list[Arch]:
    vectors = itertools.product(*(range(size) for size in space.gene_sizes))
    return sorted({space.canonical(vector) for vector in vectors})


def points(space: SearchSpace, archs: Sequence[Arch]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array([[error(space, arch), macs(space, arch)] for arch in archs])
