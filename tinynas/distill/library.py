"""DONNA's block library (arXiv 2012.08859, section 3.2): every option of every stage, distilled blockwise.

An entry is trained alone: its input is what the reference feeds into the stage, its target what the reference's
stage makes of it. So entries are independent of each other, and a network is assembled from them without training.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.distill.entry import Entry, load_entry
from tinynas.distill.exchangeable import check_reference
from tinynas.nets.checkpoint import load_checkpoint
from tinynas.nets.network import Network
from tinynas.space.netspec import BlockSpec
from tinynas.space.space import Arch, SearchSpace


@dataclass(frozen=True, eq=False)
class Library:
    """All entries of a space of one width, and the reference that they copy."""

    space: SearchSpace
    reference: Network
    folder: Path

    @cached_property
    def nsr(self) -> NDArray[np.float64]:
        """Validation noise-to-signal ratio [resolution, stage, option]; NaN past a stage's last option."""
        stages = [self.space.stage_options(stage) for stage in range(len(self.space.stages))]
        table = np.full((len(self.space.resolutions), len(stages), max(map(len, stages))), math.nan)
        for stage, options in enumerate(stages):
            for option in range(len(options)):
                table[:, stage, option] = self.entry(stage, option).nsr
        return table

    def nsr_of(self, arch: Arch) -> NDArray[np.float64]:
        """The predictor's features of an arch: its entries' ratios at its resolution, (n_stages,)."""
        options = [self.space.option_index(arch, stage) for stage in range(len(self.space.stages))]
        return self.nsr[arch[0], np.arange(len(options)), options]

    def trained(self) -> list[tuple[int, tuple[BlockSpec, ...]]]:
        """Stage and blocks of every entry that took training: each distinct option but the reference's own."""
        return [
            (stage, blocks)
            for stage, own in enumerate(self.reference.spec.stages)
            for blocks in dict.fromkeys(stage_blocks(self.space, stage))
            if blocks != own
        ]

    def train_seconds(self) -> list[float]:
        """What every entry took on its core."""
        files = sorted((self.folder / "entries").glob("*.npz"))
        return [float(load_checkpoint(file)["train_s"]) for file in files]

    def entry(self, stage: int, option: int) -> Entry:
        """A trained entry, read from its file."""
        blocks = stage_blocks(self.space, stage)
        return load_entry(entry_file(self.folder, stage, blocks.index(blocks[option])), blocks[option])

    def assemble(self, arch: Arch) -> Network:
        """A new network of `arch`: the reference's stem and head, the library's stages. It shares no weights."""
        network = Network(self.space.netspec(arch))
        network.stem.load_state_dict(self.reference.stem.state_dict())
        network.head.load_state_dict(self.reference.head.state_dict())
        for index, stage in enumerate(network.stages):
            entry = self.entry(index, self.space.option_index(arch, index))
            stage.load_state_dict(entry.stage.state_dict())
        return network.eval()


def open_library(reference: Network, space: SearchSpace, folder: Path) -> Library:
    """A finished library; its entries are read when they are asked for."""
    check_reference(reference.spec, space)
    return Library(space, reference.eval(), folder)


def stage_blocks(space: SearchSpace, stage: int) -> tuple[tuple[BlockSpec, ...], ...]:
    """The blocks of each option of `stage`. Rounding of channels may make two options equal: they share an entry."""
    arch = space.smallest()
    options = range(len(space.stage_options(stage)))
    return tuple(space.netspec(space.with_option(arch, stage, option)).stages[stage] for option in options)


def entry_file(folder: Path, stage: int, option: int) -> Path:
    """Where the entry is kept."""
    return folder / "entries" / f"stage{stage}-option{option:03d}.npz"
