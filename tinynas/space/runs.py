"""What one stage can be: a table of its blocks by input channels, output channels and option."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tinynas.space.blocks import stage_blocks
from tinynas.space.cell import parts_of
from tinynas.space.netspec import BlockSpec
from tinynas.space.stage import StageGenes

Blocks = tuple[BlockSpec, ...]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Ends:
    """The blocks of a stage whose input and output channels are given, by the option's other choices ("kind")."""

    blocks: tuple[Blocks, ...]  # [kind]; those of kinds that are one network are equal
    firsts: Ints  # (kinds,) for each kind the first that is the same network
    first_id: int

    @cached_property
    def distinct(self) -> Ints:
        """Kinds that no earlier one equals."""
        return np.unique(self.firsts)


class Runs:
    """Every run of blocks that one stage of a space can be; made when asked for.

    An option's index is kind * (number of output channel choices) + index of the output channels.
    """

    def __init__(self, genes: StageGenes, multiple: int) -> None:
        self.genes = genes
        self._multiple = multiple
        self._kinds = genes.options[:: genes.outs]
        self._ends: dict[tuple[int, int], Ends] = {}
        self._by_id: list[Blocks] = []

    def ends(self, cin: int, cout: int) -> Ends:
        """The table of these channels."""
        if (cin, cout) not in self._ends:
            made = self._make(cin, cout)
            self._ends[cin, cout] = made
            self._by_id += made.blocks
        return self._ends[cin, cout]

    def blocks(self, number: int) -> Blocks:
        """The blocks of an id."""
        return self._by_id[number]

    def ids(self, cin: Ints, cout: Ints, kinds: Ints) -> Ints:
        """(n,): equal for equal networks, different for different ones, over all channels."""
        found = np.empty(len(kinds), np.int64)
        pairs, group = np.unique(np.stack((cin, cout), axis=1), axis=0, return_inverse=True)
        for k, (inputs, outputs) in enumerate(pairs.tolist()):
            ends, rows = self.ends(inputs, outputs), group.reshape(-1) == k
            found[rows] = ends.first_id + ends.firsts[kinds[rows]]
        return found

    def _make(self, cin: int, cout: int) -> Ends:
        stride = self.genes.stage.stride
        made = [stage_blocks(cin, cout, stride, option, self._multiple) for option in self._kinds]
        seen: dict[object, int] = {}
        layers = ((len(blocks), parts_of(blocks[0]), parts_of(blocks[-1])) for blocks in made)
        firsts = [seen.setdefault(key, index) for index, key in enumerate(layers)]
        return Ends(tuple(made[first] for first in firsts), np.array(firsts, np.int64), len(self._by_id))
