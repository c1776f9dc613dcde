"""The search space: the `[space]` table of an experiment, and the arithmetic of its integer-vector archs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, Field, NonNegativeInt, PositiveInt

from tinynas.space.archs import Arch, Archs, checked
from tinynas.space.blocks import StageOption
from tinynas.space.channels import round_channels
from tinynas.space.distinct import Channels, Networks
from tinynas.space.netspec import BlockSpec, NetSpec, Nonlinearity
from tinynas.space.runs import Runs
from tinynas.space.stage import Choices, Ratios, StageGenes, StageSpace, ascending, listed, place_of

__all__ = ["Arch", "Archs", "Choice", "Choices", "Ratios", "SearchSpace", "StageOption", "StageSpace", "Stem"]

InputChannels = Literal[1, 3]


class Stem(BaseModel, frozen=True, extra="forbid"):
    """The 3x3 convolution in front of the first stage."""

    channels: PositiveInt  # at width 1
    stride: Literal[1, 2] = 2


@dataclass(frozen=True)
class Choice:
    """An arch decoded."""

    resolution: int  # input height = width, pixels
    width: float  # channel multiplier
    channels: int  # of the input
    stages: tuple[StageOption, ...]


class SearchSpace(BaseModel, frozen=True, extra="forbid"):
    """Networks of stages of blocks: resolution, width, input channels, and what each `StageSpace` leaves open.

    An arch holds the indices of resolution and width, of the input's channels where they are open, then per stage of
    depth, kernel and expand ratio, and of cell, activation, attention and output channels where they are open.

    Different archs may be one network: rounding the channels makes two widths or two expand ratios equal, and some
    cells have no expand ratio. `canonical` gives the first of them; `size`, `sample`, `mutate` and `crossover` deal
    in canonical archs, so in distinct networks.
    """

    resolutions: Choices
    widths: Ratios = (1.0,)
    stem: Stem
    stages: Annotated[tuple[StageSpace, ...], Field(min_length=1)]
    head_channels: NonNegativeInt  # at width 1; 0: no convolution before the pool
    activation: Nonlinearity = "relu6"  # of stem and head, and of the stages that do not name their own
    channel_multiple: Literal[1, 2, 4, 8, 16] = 8  # as MobileNetV2's rounding (`channels.round_channels`)
    channels: (  # of the input
        InputChannels | Annotated[tuple[InputChannels, ...], Field(min_length=1), AfterValidator(ascending)]
    ) = 1
    classes: Annotated[int, Field(ge=2)] = 2

    def with_changes(self, **changes: object) -> Self:
        """A space with some fields replaced, checked like a new one: the data's channels and classes, one width, ..."""
        return type(self).model_validate({**self.model_dump(), **changes})

    # -- encoding

    @cached_property
    def _head_sizes(self) -> tuple[int, ...]:
        """Choices of the genes before the stages'."""
        inputs = len(listed(self.channels))
        return (len(self.resolutions), len(self.widths), *((inputs,) if inputs > 1 else ()))

    @cached_property
    def _genes(self) -> tuple[StageGenes, ...]:
        return tuple(StageGenes(stage, self.activation) for stage in self.stages)

    @cached_property
    def gene_sizes(self) -> tuple[int, ...]:
        """Number of choices at each position of an arch."""
        return (*self._head_sizes, *(size for genes in self._genes for size in genes.sizes))

    @cached_property
    def _places(self) -> tuple[slice, ...]:
        """Where in an arch the genes of each stage are."""
        ends = np.cumsum([len(self._head_sizes), *(len(genes.sizes) for genes in self._genes)]).tolist()
        return tuple(slice(first, end) for first, end in itertools.pairwise(ends))

    def check(self, arch: Iterable[int]) -> Arch:
        """`arch` as a tuple of Python ints.

        Raises:
            ConfigError: wrong length or an index out of range.
        """
        return checked(arch, self.gene_sizes)

    def decode(self, arch: Arch) -> Choice:
        """The values that `arch` points at."""
        genes = self.check(arch)
        stages = tuple(own.options[self.option_index(genes, stage)] for stage, own in enumerate(self._genes))
        return Choice(self.resolutions[genes[0]], self.widths[genes[1]], self._input_channels(genes), stages)

    def encode(self, choice: Choice) -> Arch:
        """The arch of a choice; `decode` undoes it.

        Raises:
            ConfigError: a value that the space does not offer.
        """
        values = (choice.resolution, choice.width, choice.channels)
        offered = (self.resolutions, self.widths, listed(self.channels))
        head = [place_of(value, choices) for value, choices in zip(values, offered, strict=True)]
        stages = (own.find(option) for own, option in zip(self._genes, choice.stages, strict=True))
        return (*head[: len(self._head_sizes)], *(gene for genes in stages for gene in genes))

    def label(self, arch: Arch) -> str:
        """A short name for tables: resolution, width, then each stage's depth, kernel, expand ratio, other choices."""
        choice = self.decode(arch)
        stages = " ".join(own.label(option) for own, option in zip(self._genes, choice.stages, strict=True))
        colours = f"x{choice.channels}" if len(listed(self.channels)) > 1 else ""
        return f"r{choice.resolution}{colours} w{choice.width:g} {stages}"

    def _input_channels(self, genes: Arch) -> int:
        inputs = listed(self.channels)
        return inputs[genes[2]] if len(inputs) > 1 else inputs[0]

    # -- stages' options

    def stage_options(self, stage: int) -> tuple[StageOption, ...]:
        """The options of `stage`; `option_index` counts in this order."""
        return self._genes[stage].options

    def option_index(self, arch: Arch, stage: int) -> int:
        """Which of `stage_options(stage)` the arch takes."""
        return self._genes[stage].index(arch[self._places[stage]])

    def with_option(self, arch: Arch, stage: int, option: int) -> Arch:
        """`arch` with the option of one stage replaced."""
        place = self._places[stage]
        return arch[: place.start] + self._genes[stage].genes(option) + arch[place.stop :]

    # -- networks

    def netspec(self, arch: Arch) -> NetSpec:
        """The network of an arch. Archs that are one network give equal ones."""
        genes = self.check(arch)
        resolution, channels = self.resolutions[genes[0]], self._channels[genes[1]]
        stages, cin = [], channels.stem
        for stage, runs in enumerate(self._runs):
            kind, out = divmod(self.option_index(genes, stage), runs.genes.outs)
            cout = channels.outs[stage][out]
            stages.append(runs.ends(cin, cout).blocks[kind])
            cin = cout
        return NetSpec(
            input_shape=(resolution, resolution, self._input_channels(genes)),
            classes=self.classes,
            stem_channels=channels.stem,
            stem_stride=self.stem.stride,
            stages=tuple(stages),
            head_channels=channels.head,
            activation=self.activation,
        )

    def largest(self) -> Arch:
        """The arch with the last of every choice: DONNA's reference, OFA's teacher."""
        return self.canonical(tuple(size - 1 for size in self.gene_sizes))

    def smallest(self) -> Arch:
        """The arch with the first of every choice: if it does not fit, hardly any will."""
        return tuple(0 for _ in self.gene_sizes)

    @cached_property
    def _channels(self) -> tuple[Channels, ...]:
        return tuple(self._channels_at(width) for width in self.widths)

    def _channels_at(self, width: float) -> Channels:
        def scaled(full: int) -> int:
            return round_channels(full * width, self.channel_multiple)

        outs = tuple(tuple(scaled(full) for full in listed(stage.out_channels)) for stage in self.stages)
        return Channels(scaled(self.stem.channels), scaled(self.head_channels) if self.head_channels else 0, outs)

    @cached_property
    def _runs(self) -> tuple[Runs, ...]:
        return tuple(Runs(genes, self.channel_multiple) for genes in self._genes)

    # -- many archs at once

    def frames(self, archs: Archs) -> NDArray[np.int64]:
        """(n,): equal for archs whose networks differ in their blocks only: same input, width's stem and head."""
        head = tuple(archs[:, : len(self._head_sizes)].T)
        return np.asarray(np.ravel_multi_index(head, self._head_sizes), np.int64)

    def block_ids(self, archs: Archs) -> NDArray[np.int64]:
        """(n, stages): what each stage consists of, as an argument of `blocks`; equal for equal blocks and only then.

        So the network of a valid arch is its frame (resolution, input channels, width's stem and head) and these.
        """
        widths, ids = archs[:, 1], np.empty((len(archs), len(self.stages)), np.int64)
        cin = np.array([channels.stem for channels in self._channels])[widths]
        for stage, (runs, place) in enumerate(zip(self._runs, self._places, strict=True)):
            kinds, outs = np.divmod(runs.genes.indices(archs[:, place]), runs.genes.outs)
            cout = np.array([channels.outs[stage] for channels in self._channels])[widths, outs]
            ids[:, stage] = runs.ids(cin, cout, kinds)
            cin = cout
        return ids

    def blocks(self, stage: int, number: int) -> tuple[BlockSpec, ...]:
        """The blocks of a stage that `block_ids` of this space has numbered so."""
        return self._runs[stage].blocks(number)

    # -- distinct networks

    @cached_property
    def _networks(self) -> Networks:
        return Networks(self._channels, self._runs)

    def canonical(self, arch: Arch) -> Arch:
        """The first arch that is the same network."""
        genes = self.check(arch)
        channels, widths = self._channels[genes[1]], self._networks.alike(genes[1])
        found, cin = [], channels.stem
        for stage, runs in enumerate(self._runs):
            kind, out = divmod(self.option_index(genes, stage), runs.genes.outs)
            cout = channels.outs[stage][out]
            widths = self._networks.narrowed(widths, stage, cout)
            found.append((int(runs.ends(cin, cout).firsts[kind]), cout))
            cin = cout
        outs = self._channels[widths[0]].outs
        genes = (genes[0], widths[0], *genes[2:])
        for stage, (kind, cout) in enumerate(found):
            genes = self.with_option(genes, stage, kind * self._genes[stage].outs + outs[stage].index(cout))
        return genes

    @property
    def size(self) -> int:
        """Number of distinct networks, exact."""
        return len(self.resolutions) * len(listed(self.channels)) * self._networks.count

    def sample(self, rng: np.random.Generator) -> Arch:
        """A canonical arch, uniform over distinct networks (not over vectors, which favour rounded-together ones)."""
        return tuple(self.samples(rng, 1)[0].tolist())

    def samples(self, rng: np.random.Generator, count: int) -> Archs:
        """`count` archs as `sample` draws them, much faster than one by one."""
        drawn = self._networks.draw(rng, count)
        archs = np.empty((count, len(self.gene_sizes)), np.int64)
        for gene, size in enumerate(self._head_sizes):
            archs[:, gene] = drawn.widths if gene == 1 else rng.integers(size, size=count)
        for stage, (genes, place) in enumerate(zip(self._genes, self._places, strict=True)):
            offered = np.array([channels.outs[stage] for channels in self._channels])[drawn.widths]
            outs = (offered == drawn.couts[:, stage, None]).argmax(axis=1)
            archs[:, place] = genes.genes_of(drawn.kinds[:, stage] * genes.outs + outs)
        return archs

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
        """Resolution, width, input channels and each stage's whole option come from either parent with equal chance.

        A stage is inherited whole since the predictor knows it as one library block.
        """
        parents = (self.check(mother), self.check(father))
        head = len(self._head_sizes)
        child = tuple(parents[int(rng.integers(2))][gene] for gene in range(head)) + mother[head:]
        for stage in range(len(self.stages)):
            child = self.with_option(child, stage, self.option_index(parents[int(rng.integers(2))], stage))
        return self.canonical(child)
