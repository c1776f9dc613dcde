"""One stage of a Once-for-All space: the places for its blocks, and the random variation of its genes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, PositiveInt, field_validator

from tinynas.space.archs import Archs
from tinynas.space.netspec import BlockSpec, Nonlinearity
from tinynas.space.stage import Choices, Ratios

BLOCK_GENES = 2  # kernel, expand ratio

Genes = tuple[int, list[tuple[int, int]]]
"""Of a stage: index of its depth, then (kernel, expand ratio) of each slot."""


class ElasticStage(BaseModel, frozen=True, extra="forbid"):
    """Blocks of one output: how many there are, and kernel and expand ratio of each, are open."""

    out_channels: PositiveInt
    stride: Literal[1, 2] = 1  # of the first block
    depths: Choices
    kernels: Annotated[tuple[Literal[3, 5, 7], ...], Field(min_length=1)] = (3, 5, 7)
    expand_ratios: Ratios

    @field_validator("kernels")
    @classmethod
    def _ascending(cls, kernels: tuple[int, ...]) -> tuple[int, ...]:
        if list(kernels) != sorted(set(kernels)):
            raise ValueError("list each choice once, smallest first")
        return kernels


@dataclass(frozen=True)
class Slot:
    """A place for a block. Two expand ratios may round to one number of hidden channels."""

    in_channels: int
    out_channels: int
    stride: int
    kernels: tuple[int, ...]  # pixels, ascending
    hidden_channels: tuple[int, ...]  # of each expand ratio, ascending
    activation: Nonlinearity

    @cached_property
    def first_ratios(self) -> tuple[int, ...]:
        """For each expand ratio the index of the first with as many hidden channels."""
        return tuple(self.hidden_channels.index(hidden) for hidden in self.hidden_channels)

    @property
    def blocks(self) -> int:
        """Number of distinct blocks."""
        return len(self.kernels) * len(set(self.hidden_channels))

    def block(self, kernel: int, ratio: int) -> BlockSpec:
        """The block of these two indices."""
        hidden, side = self.hidden_channels[ratio], self.kernels[kernel]
        return BlockSpec(self.in_channels, hidden, self.out_channels, side, self.stride, self.activation)


@dataclass(frozen=True)
class Place:
    """Where a slot is in an arch."""

    slot: Slot
    genes: int  # kernel; the expand ratio is next to it
    depth_gene: int
    depths: tuple[int, ...]
    index: int  # of the slot in its stage

    def beyond(self, archs: Archs) -> NDArray[np.bool_]:
        """(n,) archs whose stage has no block here."""
        return np.asarray(np.array(self.depths)[archs[:, self.depth_gene]] <= self.index, np.bool_)


def random_genes(stage: ElasticStage, rng: np.random.Generator) -> Genes:
    """Each uniform."""
    pairs = [_random_block(stage, rng) for _ in range(stage.depths[-1])]
    return draw(rng, stage.depths), pairs


def mutated(
    stage: ElasticStage, depth: int, pairs: Sequence[tuple[int, int]], rng: np.random.Generator, rate: float
) -> Genes:
    """Depth and each block are drawn anew with probability `rate`; blocks beyond the old depth in any case."""
    new_depth = draw(rng, stage.depths) if rng.random() < rate else depth
    new_pairs = []
    for slot, pair in enumerate(pairs):
        fresh = rng.random() < rate or slot >= stage.depths[depth]
        new_pairs.append(_random_block(stage, rng) if fresh else pair)
    return new_depth, new_pairs


def crossed(stage: ElasticStage, mother: Genes, father: Genes, rng: np.random.Generator) -> Genes:
    """Depth and each block of either parent; a slot that only one parent reaches is that one's."""
    sides = (mother, father)
    depth = sides[int(rng.integers(2))][0]
    pairs = []
    for slot in range(stage.depths[-1]):
        reached = [blocks[slot] for own, blocks in sides if slot < stage.depths[own]] or [(0, 0)]
        pairs.append(reached[int(rng.integers(len(reached)))])
    return depth, pairs


def draw(rng: np.random.Generator, choices: Sequence[object]) -> int:
    """Index of one of them."""
    return int(rng.integers(len(choices)))


def _random_block(stage: ElasticStage, rng: np.random.Generator) -> tuple[int, int]:
    return draw(rng, stage.kernels), draw(rng, stage.expand_ratios)
