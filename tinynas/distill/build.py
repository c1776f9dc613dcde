"""Making of a block library: entries are trained side by side, each once, in a folder that is one library's alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinynas.data.arrays import save_arrays
from tinynas.data.types import Dataset
from tinynas.distill.config import DistillConfig
from tinynas.distill.entry import EntryTask, make_entry
from tinynas.distill.exchangeable import check_reference
from tinynas.distill.features import FeatureStore, store_features
from tinynas.distill.library import Library, entry_file, stage_blocks
from tinynas.distill.parallel import side_by_side
from tinynas.errors import ConfigError
from tinynas.nets.checkpoint import load_checkpoint, spec_to_json, tensors_of
from tinynas.nets.network import Network, Stage
from tinynas.space.netspec import NetSpec
from tinynas.space.space import SearchSpace
from tinynas.train.config import CPU_ONLY, HardwareConfig

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
    hardware: HardwareConfig = CPU_ONLY,
) -> Library:
    """Train every entry that `folder` does not hold yet, at the reference's resolution, `workers` at a time.

    `hardware` decides rounding, nothing else; blocks are not compiled, as that takes longer than to train one.

    Raises ConfigError if the space has several widths, if the reference's stem, stage ends or head are not the
    space's, or if `folder` belongs to another reference, data set or configuration.
    """
    check_reference(reference.spec, space)
    reference.eval()
    folder = folder.resolve()  # a worker on another machine stands in another folder
    _claim(folder, _identity(reference, space, data, config, seed))
    tasks = [replace(task, hardware=hardware) for task in _tasks(reference, space, data, config, seed, folder)]
    library = Library(space, reference, folder)
    todo = [task for task in tasks if not task.file.exists()]
    done = len(tasks) - len(todo)
    for stage, option, seconds in side_by_side(make_entry, _slowest_first(todo), workers, config.backend):
        done += 1
        if on_entry is not None:
            nsr = library.entry(stage, option).nsr
            on_entry(LibraryProgress(stage, option, nsr, seconds, done, len(tasks)))
    return library


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
