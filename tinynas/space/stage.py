"""One stage of a search space: a `[[space.stages]]` table and the options that it offers."""

from __future__ import annotations

import itertools
from dataclasses import astuple
from functools import cached_property
from typing import Annotated, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, Field, PositiveFloat, PositiveInt

from tinynas.errors import ConfigError
from tinynas.space.blocks import StageOption
from tinynas.space.cell import cell
from tinynas.space.netspec import AttentionName, Nonlinearity

Number = TypeVar("Number", int, float)
Listed = TypeVar("Listed")


def ascending(values: tuple[Number, ...]) -> tuple[Number, ...]:
    """Refuse choices out of order. Raises ValueError, for pydantic."""
    if list(values) != sorted(set(values)):
        raise ValueError("list each choice once, smallest first")
    return values


def _odd(kernels: tuple[int, ...]) -> tuple[int, ...]:
    if any(kernel % 2 == 0 for kernel in kernels):
        raise ValueError("a kernel's side is odd, so that it has a centre")
    return kernels


def _once(values: tuple[Listed, ...]) -> tuple[Listed, ...]:
    if len(set(values)) < len(values):
        raise ValueError("list each choice once")
    return values


def _known(name: str) -> str:
    try:
        found = cell(name)
    except ConfigError as error:
        raise ValueError(str(error)) from error
    if found.rectified:
        raise ValueError(f"{name} blocks end with an activation, so they cannot stand for others; take another cell")
    return name


def listed(value: Listed | tuple[Listed, ...]) -> tuple[Listed, ...]:
    """The choices of a setting that is one value or a list of them."""
    return value if isinstance(value, tuple) else (value,)


Choices = Annotated[tuple[PositiveInt, ...], Field(min_length=1), AfterValidator(ascending)]
Ratios = Annotated[tuple[PositiveFloat, ...], Field(min_length=1), AfterValidator(ascending)]
Cells = Annotated[tuple[Annotated[str, AfterValidator(_known)], ...], Field(min_length=1), AfterValidator(_once)]

_ALWAYS = 3  # the first genes (depth, kernel, expand ratio) are in every arch, the others where there is a choice


class StageSpace(BaseModel, frozen=True, extra="forbid"):
    """One stage: what is open for it. Lists of names may have any order; the reference is made of each list's last.

    Where its output is fixed (`out_channels` is one number), its options are interchangeable.
    """

    out_channels: PositiveInt | Choices  # at width 1
    stride: Literal[1, 2] = 1  # of the first block
    depths: Choices
    kernels: Annotated[Choices, AfterValidator(_odd)] = (3, 5, 7)
    expand_ratios: Ratios
    cells: Cells = ("inverted_residual",)
    activations: Annotated[tuple[Nonlinearity, ...], AfterValidator(_once)] = ()  # (): the space's
    attention: Annotated[tuple[AttentionName, ...], Field(min_length=1), AfterValidator(_once)] = ("none",)


class StageGenes:
    """The arithmetic of one stage's positions in an arch."""

    def __init__(self, stage: StageSpace, activation: Nonlinearity) -> None:
        self.stage = stage
        self.choices: tuple[tuple[object, ...], ...] = (  # in the order of StageOption's fields
            stage.depths,
            stage.kernels,
            stage.expand_ratios,
            stage.cells,
            stage.activations or (activation,),
            stage.attention,
            listed(stage.out_channels),
        )
        self._sizes = tuple(len(choices) for choices in self.choices)
        self._open = tuple(k for k, size in enumerate(self._sizes) if k < _ALWAYS or size > 1)
        self.sizes = tuple(self._sizes[k] for k in self._open)  # of the genes
        self.outs = self._sizes[-1]

    def index(self, genes: tuple[int, ...]) -> int:
        """The option of these genes; the last gene varies fastest."""
        index = 0
        for gene, size in zip(genes, self.sizes, strict=True):
            index = index * size + gene
        return index

    def genes(self, option: int) -> tuple[int, ...]:
        """The genes of an option."""
        return tuple(int(gene) for gene in np.unravel_index(option, self.sizes))

    def indices(self, genes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Options (n,) of genes (n, k)."""
        found: NDArray[np.int64] = np.ravel_multi_index(tuple(genes.T), self.sizes)
        return found

    def genes_of(self, options: NDArray[np.int64]) -> NDArray[np.int64]:
        """Genes (n, k) of options (n,)."""
        return np.stack(np.unravel_index(options, self.sizes), axis=1).astype(np.int64)

    def find(self, option: StageOption) -> tuple[int, ...]:
        """The genes of an option's values.

        Raises:
            ConfigError: a value that the stage does not offer.
        """
        places = [place_of(value, offered) for value, offered in zip(astuple(option), self.choices, strict=True)]
        return tuple(places[k] for k in self._open)

    @cached_property
    def options(self) -> tuple[StageOption, ...]:
        """All options."""
        return tuple(StageOption(*values) for values in itertools.product(*self.choices))  # type: ignore[arg-type]

    def label(self, option: StageOption) -> str:
        """Depth, kernel and expand ratio, and what else is open."""
        text = f"d{option.depth}k{option.kernel}e{option.expand_ratio:g}"
        text += f"c{option.out_channels}" if self.outs > 1 else ""
        named = (cell(option.cell).short, option.activation.replace("_", ""), _ATTENTION[option.attention])
        shown = (name for k, name in enumerate(named, start=_ALWAYS) if k in self._open and name)
        return "-".join((text, *shown))


_ATTENTION = {"none": "", "squeeze_excite": "se"}


def place_of(value: object, choices: tuple[object, ...]) -> int:
    """Where `value` is among the choices. Raises ConfigError if it is not."""
    if value not in choices:
        raise ConfigError(f"{value} is not a choice of this space; it offers {', '.join(map(str, choices))}")
    return choices.index(value)
