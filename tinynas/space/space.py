"""The search space: the `[space]` table of an experiment, and the arithmetic of its integer-vector archs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass
from functools import cached_property
from typing import Annotated, Literal, Self, TypeVar

import numpy as np
from pydantic import AfterValidator, BaseModel, Field, NonNegativeInt, PositiveFloat, PositiveInt

from tinynas.errors import ConfigError
from tinynas.space.mobilenet import inverted_residuals, round_channels
from tinynas.space.netspec import ActivationName, BlockSpec, NetSpec

Arch = tuple[int, ...]
"""A point of a space: indices of resolution and width, then per stage of depth, kernel and expand ratio."""

_HEAD_GENES = 2  # resolution, width

Number = TypeVar("Number", int, float)


def _ascending(values: tuple[Number, ...]) -> tuple[Number, ...]:
    if list(values) != sorted(set(values)):
        raise ValueError("list each choice once, smallest first")
    return values


def _odd(kernels: tuple[int, ...]) -> tuple[int, ...]:
    if any(kernel % 2 == 0 for kernel in kernels):
        raise ValueError("a kernel's side is odd, so that it has a centre")
    return kernels


Choices = Annotated[tuple[PositiveInt, ...], Field(min_length=1), AfterValidator(_ascending)]
Ratios = Annotated[tuple[PositiveFloat, ...], Field(min_length=1), AfterValidator(_ascending)]


@dataclass(frozen=True)
class StageOption:
    """What may be chosen for one stage: all of its blocks share kernel and expand ratio (one DONNA block option)."""

    depth: int  # blocks
    kernel: int  # depthwise kernel's side, pixels
    expand_ratio: float  # hidden channels / input channels, before rounding


class StageSpace(BaseModel, frozen=True, extra="forbid"):
    """One stage: its output is fixed, so that its options are interchangeable; depth, kernel, expand are open."""

    out_channels: PositiveInt  # at width 1
    stride: Literal[1, 2] = 1  # of the first block
    depths: Choices
    kernels: Annotated[Choices, AfterValidator(_odd)] = (3, 5, 7)
    expand_ratios: Ratios

    @property
    def genes(self) -> tuple[tuple[float, ...], ...]:
        """The choices of each of the stage's positions in an arch, in the order of `StageOption`'s fields."""
        return (self.depths, self.kernels, self.expand_ratios)

    @cached_property
    def options(self) -> tuple[StageOption, ...]:
        """All options; the last gene varies fastest."""
        combinations = itertools.product(self.depths, self.kernels, self.expand_ratios)
        return tuple(StageOption(*combination) for combination in combinations)


class Stem(BaseModel, frozen=True, extra="forbid"):
    """The 3x3 convolution in front of the first stage."""

    channels: PositiveInt  # at width 1
    stride: Literal[1, 2] = 2


@dataclass(frozen=True)
class Choice:
    """An arch decoded."""

    resolution: int  # input height = width, pixels
    width: float  # channel multiplier
    stages: tuple[StageOption, ...]


class SearchSpace(BaseModel, frozen=True, extra="forbid"):
    """Networks of inverted residuals: resolution, width, and per stage depth, kernel and expand ratio.

    An arch is a tuple of 2 + 3 * n_stages indices. Different archs may be one network, when rounding the channels
    makes two widths or two expand ratios equal; `canonical` gives the first of them, and `size`, `sample`,
    `mutate` and `crossover` deal in canonical archs, so in distinct networks.
    """

    resolutions: Choices
    widths: Ratios = (1.0,)
    stem: Stem
    stages: Annotated[tuple[StageSpace, ...], Field(min_length=1)]
    head_channels: NonNegativeInt  # at width 1; 0: no convolution before the pool
    activation: ActivationName = "relu6"
    channel_multiple: Literal[1, 2, 4, 8, 16] = 8  # as MobileNetV2's rounding (`mobilenet.round_channels`)
    channels: Literal[1, 3] = 1  # of the input
    classes: Annotated[int, Field(ge=2)] = 2

    def with_changes(self, **changes: object) -> Self:
        """A space with some fields replaced, checked like a new one: the data's channels and classes, one width, ..."""
        return type(self).model_validate({**self.model_dump(), **changes})

    # -- encoding

    @cached_property
    def gene_sizes(self) -> tuple[int, ...]:
        """Number of choices at each position of an arch."""
        stages = [len(choices) for stage in self.stages for choices in stage.genes]
        return (len(self.resolutions), len(self.widths), *stages)

    def check(self, arch: Iterable[int]) -> Arch:
        """`arch` as a tuple of Python ints.

        Raises:
            ConfigError: wrong length or an index out of range.
        """
        genes = tuple(int(gene) for gene in arch)
        sizes = self.gene_sizes
        if len(genes) != len(sizes):
            raise ConfigError(f"arch {list(genes)} has {len(genes)} entries, this space's archs have {len(sizes)}")
        for position, (gene, size) in enumerate(zip(genes, sizes, strict=True)):
            if not 0 <= gene < size:
                raise ConfigError(f"arch {list(genes)}: entry {position} is {gene}, but there are {size} choices")
        return genes

    def decode(self, arch: Arch) -> Choice:
        """The values that `arch` points at."""
        genes = self.check(arch)
        stages = tuple(space.options[self.option_index(genes, stage)] for stage, space in enumerate(self.stages))
        return Choice(self.resolutions[genes[0]], self.widths[genes[1]], stages)

    def encode(self, choice: Choice) -> Arch:
        """The arch of a choice; `decode` undoes it.

        Raises:
            ConfigError: a value that the space does not offer.
        """
        values = [choice.resolution, choice.width]
        offered: list[tuple[float, ...]] = [self.resolutions, self.widths]
        for option, stage in zip(choice.stages, self.stages, strict=True):
            values += astuple(option)
            offered += stage.genes
        for value, choices in zip(values, offered, strict=True):
            if value not in choices:
                raise ConfigError(f"{value} is not a choice of this space; it offers {', '.join(map(str, choices))}")
        return tuple(choices.index(value) for value, choices in zip(values, offered, strict=True))

    def label(self, arch: Arch) -> str:
        """A short name for tables: resolution, width, then depth, kernel and expand ratio of each stage."""
        choice = self.decode(arch)
        stages = " ".join(f"d{s.depth}k{s.kernel}e{s.expand_ratio:g}" for s in choice.stages)
        return f"r{choice.resolution} w{choice.width:g} {stages}"

    # -- stages' options

    def stage_options(self, stage: int) -> tuple[StageOption, ...]:
        """The options of `stage`; `option_index` counts in this order."""
        return self.stages[stage].options

    def option_index(self, arch: Arch, stage: int) -> int:
        """Which of `stage_options(stage)` the arch takes."""
        start, index = self._gene_start(stage), 0
        for gene, choices in zip(arch[start:], self.stages[stage].genes, strict=False):
            index = index * len(choices) + gene
        return index

    def with_option(self, arch: Arch, stage: int, option: int) -> Arch:
        """`arch` with the option of one stage replaced."""
        genes = [len(choices) for choices in self.stages[stage].genes]
        start = self._gene_start(stage)
        indices = tuple(int(i) for i in np.unravel_index(option, genes))
        return arch[:start] + indices + arch[start + len(genes) :]

    def _gene_start(self, stage: int) -> int:
        return _HEAD_GENES + sum(len(space.genes) for space in self.stages[:stage])

    # -- networks

    def netspec(self, arch: Arch) -> NetSpec:
        """The network of an arch."""
        genes = self.check(arch)
        resolution, table = self.resolutions[genes[0]], self._tables[genes[1]]
        return NetSpec(
            input_shape=(resolution, resolution, self.channels),
            classes=self.classes,
            stem_channels=table.stem,
            stem_stride=self.stem.stride,
            stages=tuple(blocks[self.option_index(genes, stage)] for stage, blocks in enumerate(table.blocks)),
            head_channels=table.head,
            activation=self.activation,
        )

    def largest(self) -> Arch:
        """The arch with the largest of every choice: DONNA's reference, OFA's teacher."""
        return self.canonical(tuple(size - 1 for size in self.gene_sizes))

    def smallest(self) -> Arch:
        """The arch with the smallest of every choice: if it does not fit, hardly any will."""
        return tuple(0 for _ in self.gene_sizes)

    @cached_property
    def _tables(self) -> tuple[_WidthTable, ...]:
        return tuple(_WidthTable.build(self, width) for width in self.widths)

    # -- distinct networks

    @cached_property
    def _distinct_widths(self) -> tuple[int, ...]:
        """Each width's index replaced by the first width with the same channels everywhere."""
        return _firsts(self._tables)

    def canonical(self, arch: Arch) -> Arch:
        """The first arch that is the same network."""
        genes = self.check(arch)
        width = self._distinct_widths[genes[1]]
        genes = (genes[0], width, *genes[_HEAD_GENES:])
        for stage, firsts in enumerate(self._tables[width].firsts):
            genes = self.with_option(genes, stage, firsts[self.option_index(genes, stage)])
        return genes

    @cached_property
    def _networks_per_width(self) -> tuple[int, ...]:
        """Distinct networks of one resolution at each width; 0 for a width that repeats an earlier one."""
        return tuple(
            math.prod(len(set(firsts)) for firsts in table.firsts) if first == index else 0
            for index, (first, table) in enumerate(zip(self._distinct_widths, self._tables, strict=True))
        )

    @property
    def size(self) -> int:
        """Number of distinct networks, exact."""
        return len(self.resolutions) * sum(self._networks_per_width)

    def sample(self, rng: np.random.Generator) -> Arch:
        """A canonical arch, uniform over distinct networks (not over vectors, which favour rounded-together ones)."""
        # float64 loses no more than 1e-16 of a width's share; the choice within a width is exact
        shares = np.array([float(count) for count in self._networks_per_width])
        width = int(rng.choice(len(shares), p=shares / shares.sum()))
        arch = (int(rng.integers(len(self.resolutions))), width, *[0] * (len(self.gene_sizes) - _HEAD_GENES))
        for stage, firsts in enumerate(self._tables[width].firsts):
            distinct = sorted(set(firsts))
            arch = self.with_option(arch, stage, distinct[int(rng.integers(len(distinct)))])
        return arch

    # -- variation

    def mutate(self, arch: Arch, rng: np.random.Generator, rate: float = 0.1) -> Arch:
        """Each open gene changes to another of its choices with probability `rate`; one does at least."""
        genes = list(self.check(arch))
        movable = [position for position, size in enumerate(self.gene_sizes) if size > 1]
        if not movable:
            return self.canonical(arch)
        chosen = [position for position in movable if rng.random() < rate]
        for position in chosen or [movable[int(rng.integers(len(movable)))]]:
            step = int(rng.integers(1, self.gene_sizes[position]))
            genes[position] = (genes[position] + step) % self.gene_sizes[position]
        return self.canonical(tuple(genes))

    def crossover(self, mother: Arch, father: Arch, rng: np.random.Generator) -> Arch:
        """Resolution, width and each stage's whole option come from either parent with equal chance.

        A stage is inherited whole since the predictor knows it as one library block.
        """
        parents = (self.check(mother), self.check(father))
        child = tuple(parents[int(rng.integers(2))][gene] for gene in range(_HEAD_GENES))
        child += mother[_HEAD_GENES:]
        for stage in range(len(self.stages)):
            child = self.with_option(child, stage, self.option_index(parents[int(rng.integers(2))], stage))
        return self.canonical(child)


@dataclass(frozen=True)
class _WidthTable:
    """All that a space's networks consist of at one width."""

    stem: int  # channels
    head: int
    blocks: tuple[tuple[tuple[BlockSpec, ...], ...], ...]  # [stage][option] -> blocks
    firsts: tuple[tuple[int, ...], ...]  # [stage][option] -> first option with the same blocks

    @staticmethod
    def build(space: SearchSpace, width: float) -> _WidthTable:
        multiple = space.channel_multiple
        stem = round_channels(space.stem.channels * width, multiple)
        head = round_channels(space.head_channels * width, multiple) if space.head_channels else 0
        blocks, cin = [], stem
        for stage in space.stages:
            cout = round_channels(stage.out_channels * width, multiple)
            blocks.append(
                tuple(
                    inverted_residuals(
                        cin,
                        cout,
                        stage.stride,
                        **asdict(option),
                        multiple=multiple,
                        activation=space.activation,
                    )
                    for option in stage.options
                )
            )
            cin = cout
        return _WidthTable(stem, head, tuple(blocks), tuple(_firsts(options) for options in blocks))


def _firsts(values: Iterable[object]) -> tuple[int, ...]:
    """For each value the index of the first equal one."""
    seen: dict[object, int] = {}
    return tuple(seen.setdefault(value, index) for index, value in enumerate(values))
