"""Stage 4: the block library: every option of every stage, taught to do what the reference's stage does."""

from __future__ import annotations

import shutil
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np

from tinynas.data.types import Dataset
from tinynas.distill.build import LibraryProgress, build_library
from tinynas.distill.config import DistillConfig
from tinynas.distill.cost import library_cost
from tinynas.distill.library import Library, open_library, stage_blocks
from tinynas.nets.network import Network
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.files import write_json
from tinynas.pipeline.measuring import RateLog
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.space.space import SearchSpace

_VERSION = 2


def make_library(context: Context, data: Dataset, space: SearchSpace, reference: Output) -> Output:
    """The library of `space`; nothing of it depends on the board."""
    settings = {
        "space": space.model_dump(mode="json"),
        "library": context.experiment.library.deciding(),
        "seed": context.experiment.seed,
    }
    from tinynas.pipeline.stages.reference import load_reference

    key = StageKey("library", _VERSION, settings, {"reference": reference.digest})
    return context.stage(key, lambda folder: _build(context, data, space, load_reference(reference), folder))


def load_library(output: Output, space: SearchSpace, reference: Network) -> Library:
    """The library of the stage's output."""
    return open_library(reference, space, output.folder)


def _build(context: Context, data: Dataset, space: SearchSpace, reference: Network, folder: Path) -> None:
    config, progress = context.experiment.library, context.progress
    total = sum(len(set(stage_blocks(space, stage))) for stage in range(len(space.stages)))
    progress.begin("library", "blocks distilled", total)
    rate, sitting, began_s, before = RateLog(folder / "rate.jsonl"), uuid.uuid4().hex, time.monotonic(), [0]

    def entry(state: LibraryProgress) -> None:
        before[0] += 1
        rate.note(sitting, before[0], time.monotonic() - began_s)
        progress.advance(state.done, f"noise/signal {state.nsr[-1]:.3f}")

    seed = derive_seed(context.experiment.seed, "library")
    library = build_library(
        reference,
        space,
        data,
        config,
        seed,
        folder,
        workers=context.workers,
        on_entry=entry,
        hardware=context.experiment.hardware,
    )
    shutil.rmtree(folder / "features", ignore_errors=True)  # hundreds of MB that nothing reads any more
    figures = _figures(library, config, len(data.train), rate)
    own = context.experiment.reference.checkpoint is not None  # the user's: nobody here knows how long it took
    epochs = None if own else context.experiment.reference.epochs
    write_json(folder / "library.json", figures | {"reference_epochs": epochs})
    context.meter.trained(0, figures["trained"] * config.epochs, figures["epochs_equivalent"])
    progress.end(
        f"{total} blocks, noise/signal {np.nanmin(library.nsr):.2f} to {np.nanmax(library.nsr):.2f}; as much work as "
        f"{figures['epochs_equivalent']:.1f} epochs of the reference"
    )


def _figures(library: Library, config: DistillConfig, train_images: int, rate: RateLog) -> dict[str, Any]:
    """The `library` entry of a run's summary."""
    trained = library.trained()
    cost = library_cost(library.reference.spec, trained, config, train_images)
    return {
        "entries": sum(len(set(stage_blocks(library.space, stage))) for stage in range(len(library.space.stages))),
        "trained": len(trained),
        "entries_per_minute": rate.per_minute(),  # wall time, over all sittings
        "cpu_s": round(sum(library.train_seconds()), 1),
        "epochs_equivalent": round(cost.epochs, 3),  # of training the reference, by multiply-accumulates
        "epochs_of_features": round(cost.features, 3),  # part of those
        "nsr_mean": [float(np.nanmean(stage)) for stage in library.nsr[-1]],  # per stage, largest resolution
    }
