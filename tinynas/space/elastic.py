"""The space of a Once-for-All supernet (arXiv 1908.09791): kernel and expand ratio are open for every block."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, NonNegativeInt, ValidationError, model_validator

from tinynas.errors import ConfigError
from tinynas.space.archs import Arch, Archs, checked
from tinynas.space.channels import round_channels
from tinynas.space.elastic_stage import (
    BLOCK_GENES,
    ElasticStage,
    Genes,
    Place,
    Slot,
    crossed,
    draw,
    mutated,
    random_genes,
)
from tinynas.space.netspec import BlockSpec, NetSpec, Nonlinearity
from tinynas.space.space import Choices, SearchSpace, Stem


class ElasticSpace(BaseModel, frozen=True, extra="forbid"):
    """Subnets of one supernet: resolution, depth of each stage, kernel and expand ratio of each block.

    An arch is a tuple of indices: resolution, then per stage its depth followed by kernel and expand ratio of each of
    its slots, as many as the largest depth; slots beyond the depth hold 0. `canonical` gives the first arch that is the
    same network, and `sample`, `mutate` and `crossover` deal in canonical archs.
    """

    resolutions: Choices
    stem: Stem
    stages: Annotated[tuple[ElasticStage, ...], Field(min_length=1)]
    head_channels: NonNegativeInt  # 0: no convolution before the pool
    activation: Nonlinearity = "relu6"
    channel_multiple: Literal[1, 2, 4, 8, 16] = 8
    channels: Literal[1, 3] = 1  # of the input
    classes: Annotated[int, Field(ge=2)] = 2

    @classmethod
    def of(cls, space: SearchSpace) -> Self:
        """The space with `space`'s choices, open for every block instead of every stage.

        Raises:
            ConfigError: several widths, or choices that a supernet does not share weights over.
        """
        if len(space.widths) > 1:
            raise ConfigError(f"space.widths: a supernet has one width, found {list(space.widths)}; keep one of them")
        width, settings = space.widths[0], space.model_dump(exclude_defaults=True, exclude={"widths"})
        settings["stem"]["channels"] = _scaled(space.stem.channels, width, space)
        settings["head_channels"] = _scaled(space.head_channels, width, space) if space.head_channels else 0
        for stage in settings["stages"]:
            if isinstance(stage["out_channels"], int):
                stage["out_channels"] = _scaled(stage["out_channels"], width, space)
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, ("space", *first["loc"])))
            raise ConfigError(
                f"{key}: {first['input']!r} is nothing that a supernet's subnets can share weights over "
                f"({first['msg'].lower()}); depths, kernels and expand_ratios may be open"
            ) from error

    @model_validator(mode="after")
    def _expands_or_not(self) -> Self:
        for slot in itertools.chain(*self.slots):
            if slot.in_channels in slot.hidden_channels and len(set(slot.hidden_channels)) > 1:
                raise ValueError(
                    f"an expand ratio that leaves a block's {slot.in_channels} input channels as they are removes its "
                    "first convolution, so it cannot share weights with others; drop that ratio or the others"
                )
        return self

    def with_changes(self, **changes: object) -> Self:
        """A space with some fields replaced, checked like a new one."""
        return type(self).model_validate({**self.model_dump(), **changes})

    def shrunk(self, *, kernels: int, depths: int, expand_ratios: int) -> Self:
        """The space of only the largest so many choices of each: what a phase of progressive shrinking trains."""
        stages = [
            stage.model_dump()
            | {
                "kernels": stage.kernels[-kernels:],
                "depths": stage.depths[-depths:],
                "expand_ratios": stage.expand_ratios[-expand_ratios:],
            }
            for stage in self.stages
        ]
        return self.with_changes(stages=stages)

    # -- encoding

    @cached_property
    def slots(self) -> tuple[tuple[Slot, ...], ...]:
        """The slots of every stage, as many as its largest depth."""
        slots, cin = [], self.stem.channels
        for stage in self.stages:
            inputs = (cin, *[stage.out_channels] * (stage.depths[-1] - 1))
            slots.append(tuple(self._slot(stage, width, index == 0) for index, width in enumerate(inputs)))
            cin = stage.out_channels
        return tuple(slots)

    def _slot(self, stage: ElasticStage, cin: int, first: bool) -> Slot:
        hidden = tuple(round_channels(cin * ratio, self.channel_multiple) for ratio in stage.expand_ratios)
        stride = stage.stride if first else 1
        return Slot(cin, stage.out_channels, stride, stage.kernels, hidden, self.activation)

    @cached_property
    def gene_sizes(self) -> tuple[int, ...]:
        """Number of choices at each position of an arch."""
        sizes = [len(self.resolutions)]
        for stage in self.stages:
            sizes += [len(stage.depths), *[len(stage.kernels), len(stage.expand_ratios)] * stage.depths[-1]]
        return tuple(sizes)

    def check(self, arch: Iterable[int]) -> Arch:
        """`arch` as a tuple of Python ints.

        Raises:
            ConfigError: wrong length or an index out of range.
        """
        return checked(arch, self.gene_sizes)

    def stage_genes(self, arch: Arch) -> list[Genes]:
        """Per stage: index of its depth, and (kernel, expand ratio) indices of all of its slots."""
        found, at = [], 1
        for slots in self.slots:
            pairs = arch[at + 1 : at + 1 + BLOCK_GENES * len(slots)]
            found.append((arch[at], list(zip(pairs[::2], pairs[1::2], strict=True))))
            at += 1 + len(pairs)
        return found

    def _arch(self, resolution: int, stages: Iterable[Genes]) -> Arch:
        """The canonical arch of these genes."""
        genes = [resolution]
        for space, slots, (depth, pairs) in zip(self.stages, self.slots, stages, strict=True):
            genes.append(depth)
            for index, (slot, (kernel, ratio)) in enumerate(zip(slots, pairs, strict=True)):
                genes += (kernel, slot.first_ratios[ratio]) if index < space.depths[depth] else (0, 0)
        return tuple(genes)

    def canonical(self, arch: Arch) -> Arch:
        """The first arch that is the same network."""
        genes = self.check(arch)
        return self._arch(genes[0], self.stage_genes(genes))

    def label(self, arch: Arch) -> str:
        """A short name for tables: resolution, then kernel and expand ratio of each block, stage by stage."""
        genes = self.check(arch)
        parts = []
        for space, (depth, pairs) in zip(self.stages, self.stage_genes(genes), strict=True):
            blocks = pairs[: space.depths[depth]]
            parts.append(",".join(f"k{space.kernels[k]}e{space.expand_ratios[e]:g}" for k, e in blocks))
        return f"r{self.resolutions[genes[0]]} {' '.join(parts)}"

    # -- networks

    def netspec(self, arch: Arch) -> NetSpec:
        """The network of an arch."""
        genes = self.check(arch)
        side = self.resolutions[genes[0]]
        return NetSpec(
            input_shape=(side, side, self.channels),
            classes=self.classes,
            stem_channels=self.stem.channels,
            stem_stride=self.stem.stride,
            stages=tuple(
                tuple(slot.block(*pair) for slot, pair in zip(slots[: space.depths[depth]], pairs, strict=False))
                for space, slots, (depth, pairs) in zip(self.stages, self.slots, self.stage_genes(genes), strict=True)
            ),
            head_channels=self.head_channels,
            activation=self.activation,
        )

    # -- many archs at once

    def samples(self, rng: np.random.Generator, count: int) -> Archs:
        """(count, genes) archs as `sample` draws them."""
        archs = rng.integers(self.gene_sizes, size=(count, len(self.gene_sizes)))
        for place in self._places:
            beyond = place.beyond(archs)
            archs[beyond, place.genes] = archs[beyond, place.genes + 1] = 0
            archs[:, place.genes + 1] = np.array(place.slot.first_ratios)[archs[:, place.genes + 1]]
        return archs

    def frames(self, archs: Archs) -> NDArray[np.int64]:
        """(n,): equal for archs whose networks differ in their blocks only: the resolution."""
        return archs[:, 0]

    def block_ids(self, archs: Archs) -> NDArray[np.int64]:
        """(n, slots): kernel and expand ratio of the block in each slot, -1: beyond the stage's depth."""
        columns = []
        for place in self._places:
            ratios = np.array(place.slot.first_ratios)[archs[:, place.genes + 1]]
            ids = archs[:, place.genes] * len(place.slot.hidden_channels) + ratios
            columns.append(np.where(place.beyond(archs), -1, ids))
        return np.stack(columns, axis=1)

    def blocks(self, column: int, number: int) -> tuple[BlockSpec, ...]:
        """The block in a slot that `block_ids` has numbered so, or none."""
        slot = self._places[column].slot
        return () if number < 0 else (slot.block(*divmod(number, len(slot.hidden_channels))),)

    @cached_property
    def _places(self) -> tuple[Place, ...]:
        places, at = [], 1
        for stage, slots in zip(self.stages, self.slots, strict=True):
            genes = range(at + 1, at + 1 + BLOCK_GENES * len(slots), BLOCK_GENES)
            places += [
                Place(slot, gene, at, stage.depths, k) for k, (slot, gene) in enumerate(zip(slots, genes, strict=True))
            ]
            at = genes.stop
        return tuple(places)

    def largest(self) -> Arch:
        """The arch with the largest of every choice: the teacher, whose weights all others share."""
        return self.canonical(tuple(size - 1 for size in self.gene_sizes))

    def smallest(self) -> Arch:
        """The arch with the smallest of every choice."""
        return tuple(0 for _ in self.gene_sizes)

    @property
    def size(self) -> int:
        """Number of distinct networks, exact."""
        networks = len(self.resolutions)
        for space, slots in zip(self.stages, self.slots, strict=True):
            networks *= sum(math.prod(slot.blocks for slot in slots[:depth]) for depth in space.depths)
        return networks

    # -- variation

    def sample(self, rng: np.random.Generator) -> Arch:
        """Every gene uniform, as the paper samples subnets: small depths are as frequent as large ones."""
        return self._arch(draw(rng, self.resolutions), [random_genes(stage, rng) for stage in self.stages])

    def mutate(self, arch: Arch, rng: np.random.Generator, rate: float = 0.1, resolution_rate: float = 0.5) -> Arch:
        """Each block (kernel and expand ratio), and each depth, is drawn anew with probability `rate`.

        So is the resolution with `resolution_rate` (mit-han-lab/once-for-all, evolution.py). Blocks that a larger
        depth brings in are drawn anew in any case. The result may be the arch itself.
        """
        genes = self.check(arch)
        resolution = draw(rng, self.resolutions) if rng.random() < resolution_rate else genes[0]
        stages = zip(self.stages, self.stage_genes(genes), strict=True)
        return self._arch(resolution, [mutated(stage, *part, rng, rate) for stage, part in stages])

    def crossover(self, mother: Arch, father: Arch, rng: np.random.Generator) -> Arch:
        """Resolution, each depth and each block come from either parent with equal chance."""
        parents = (self.check(mother), self.check(father))
        resolution = parents[int(rng.integers(2))][0]
        stages = zip(self.stages, *(self.stage_genes(parent) for parent in parents), strict=True)
        return self._arch(resolution, [crossed(stage, mine, other, rng) for stage, mine, other in stages])


def _scaled(channels: int, width: float, space: SearchSpace) -> int:
    return round_channels(channels * width, space.channel_multiple)
