"""DONNA's block library (arXiv 2012.08859, section 3.2): every option of every stage, distilled blockwise.

An entry is trained alone: its input is what the reference feeds into the stage, its target what the reference's
stage makes of it. So entries are independent of each other, and a network is assembled from them without training.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.data.arrays import save_arrays
from tinynas.data.types import Dataset
from tinynas.distill.config import DistillConfig
from tinynas.distill.entry import Entry, EntryTask, load_entry, make_entry
from tinynas.distill.features import FeatureStore, store_features
from tinynas.distill.parallel import side_by_side
from tinynas.errors import ConfigError
from tinynas.nets.checkpoint import load_checkpoint, spec_to_json, tensors_of
from tinynas.nets.network import Network, Stage
from tinynas.space.netspec import BlockSpec, NetSpec
from tinynas.space.space import Arch, SearchSpace
from tinynas.space.stage import listed

_VERSION = 1


@dataclass(frozen=True)
class LibraryProgress:
    """An entry is done."""

    stage: int
    option: int
    nsr: tuple[float, ...]  # per resolution of the space
    seconds: float  # that this entry took on its core
    done: int
    total: int


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


def build_library(
    reference: Network,
    space: SearchSpace,
    data: Dataset,
    config: DistillConfig,
    seed: int,
    folder: Path,
    *,
    workers: int = 1,
    on_entry: Callable[[LibraryProgress], None] | None = None,
) -> Library:
    """Train every entry that `folder` does not hold yet, at the reference's resolution, `workers` at a time.

    Raises ConfigError if the space has several widths, if the reference's stem, stage ends or head are not the
    space's, or if `folder` belongs to another reference, data set or configuration.
    """
    check_reference(reference.spec, space)
    reference.eval()
    folder = folder.resolve()  # a worker on another machine stands in another folder
    _claim(folder, _identity(reference, space, data, config, seed))
    tasks = _tasks(reference, space, data, config, seed, folder)
    library = Library(space, reference, folder)
    todo = [task for task in tasks if not task.file.exists()]
    done = len(tasks) - len(todo)
    for stage, option, seconds in side_by_side(make_entry, _slowest_first(todo), workers, config.backend):
        done += 1
        if on_entry is not None:
            nsr = library.entry(stage, option).nsr
            on_entry(LibraryProgress(stage, option, nsr, seconds, done, len(tasks)))
    return library


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


def _slowest_first(tasks: Sequence[EntryTask]) -> list[EntryTask]:
    """So that no worker is left alone with a long one at the end."""
    return sorted(tasks, key=lambda task: (task.stage, -sum(block.hidden_channels for block in task.blocks)))


def _tasks(
    reference: Network, space: SearchSpace, data: Dataset, config: DistillConfig, seed: int, folder: Path
) -> list[EntryTask]:
    """One task per distinct option of every stage; the features that they need are computed here."""
    side = reference.spec.input_shape[0]
    train = store_features(reference, data.train.images[: config.images], side, folder / "features" / f"train-{side}")
    validation = tuple(
        store_features(reference, data.validation.images, size, folder / "features" / f"validation-{size}")
        for size in space.resolutions
    )
    tasks = []
    for index, stage in enumerate(reference.stages):
        assert isinstance(stage, Stage)
        file = folder / "reference" / f"stage{index}.npz"
        save_arrays(file, tensors_of(stage.state_dict()))
        tasks += _stage_tasks(index, reference.spec, space, (train, validation), config, seed, folder, file)
    return tasks


def _stage_tasks(
    stage: int,
    reference: NetSpec,
    space: SearchSpace,
    stores: tuple[FeatureStore, tuple[FeatureStore, ...]],
    config: DistillConfig,
    seed: int,
    folder: Path,
    teacher_file: Path,
) -> list[EntryTask]:
    options = stage_blocks(space, stage)
    return [
        EntryTask(
            stage=stage,
            option=option,
            blocks=blocks,
            teacher_blocks=reference.stages[stage],
            teacher_file=teacher_file,
            train=stores[0],
            validation=stores[1],
            config=config,
            seed=int(np.random.SeedSequence([seed, stage, option]).generate_state(1)[0]),
            file=entry_file(folder, stage, option),
        )
        for option, blocks in enumerate(options)
        if options.index(blocks) == option
    ]


def check_reference(reference: NetSpec, space: SearchSpace) -> None:
    """Raise ConfigError if the space has several widths, or its stages cannot stand in for the reference's."""
    if len(space.widths) != 1:
        raise ConfigError(
            f"a block library needs one width, the space has {len(space.widths)}; choose one of them first"
        )
    _check_ends_are_fixed(space)
    wanted = space.netspec(space.largest())
    for what, mine, theirs in (
        ("stages", len(reference.stages), len(wanted.stages)),
        ("stem channels", reference.stem_channels, wanted.stem_channels),
        ("stem stride", reference.stem_stride, wanted.stem_stride),
        ("head channels", reference.head_channels, wanted.head_channels),
        ("classes", reference.classes, wanted.classes),
        ("input channels", reference.input_shape[2], wanted.input_shape[2]),
        ("stage ends", _ends(reference), _ends(wanted)),
    ):
        if mine != theirs:
            raise ConfigError(f"the reference does not fit the space: {what} {mine}, the space wants {theirs}")


def _check_ends_are_fixed(space: SearchSpace) -> None:
    """Stages can only be exchanged if all options of a stage take and give the same shapes."""
    offered = {f"space.stages[{k}].out_channels": listed(stage.out_channels) for k, stage in enumerate(space.stages)}
    for setting, choices in {**offered, "space.channels": listed(space.channels)}.items():
        if len(choices) > 1:
            raise ConfigError(f"{setting}: a block library needs one number, found {list(choices)}; keep one of them")


def _ends(spec: NetSpec) -> list[tuple[int, int, int]]:
    """(input channels, output channels, stride) of each stage."""
    return [(blocks[0].in_channels, blocks[-1].out_channels, blocks[0].stride) for blocks in spec.stages]


def _identity(reference: Network, space: SearchSpace, data: Dataset, config: DistillConfig, seed: int) -> str:
    settings = [_VERSION, spec_to_json(reference.spec), space.model_dump(mode="json"), config.deciding()]
    digest = hashlib.sha256(json.dumps([*settings, data.sha256, seed], sort_keys=True).encode())
    for key, value in tensors_of(reference.state_dict()).items():
        digest.update(key.encode() + value.tobytes())
    return digest.hexdigest()


def _claim(folder: Path, identity: str) -> None:
    """Mark `folder` as this library's. Raises ConfigError if it is another's."""
    marker = folder / "library.npz"
    if marker.exists():
        if str(load_checkpoint(marker)["identity"]) != identity:
            raise ConfigError(
                f"{folder}: holds the library of another reference, data set or setting; give another folder"
            )
        return
    save_arrays(marker, {"identity": np.array(identity)})
