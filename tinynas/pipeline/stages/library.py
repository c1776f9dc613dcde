"""Stage 4: the block library: every option of every stage, taught to do what the reference's stage does."""

from __future__ import annotations

import shutil
from pathlib import Path

from tinynas.data.types import Dataset
from tinynas.distill.library import Library, LibraryProgress, build_library, open_library
from tinynas.nets.network import Network
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.space.space import SearchSpace

_VERSION = 1


def make_library(context: Context, data: Dataset, space: SearchSpace, reference: Output) -> Output:
    """The library of `space`; nothing of it depends on the board."""
    settings = {
        "space": space.model_dump(mode="json"),
        "library": context.experiment.library.model_dump(mode="json"),
        "seed": context.experiment.seed,
    }
    from tinynas.pipeline.stages.reference import load_reference

    key = StageKey("library", _VERSION, settings, {"reference": reference.digest})
    return context.stage(key, lambda folder: _build(context, data, space, load_reference(reference), folder))


def load_library(output: Output, space: SearchSpace, reference: Network) -> Library:
    """The library of the stage's output."""
    return open_library(reference, space, output.folder)


def _build(context: Context, data: Dataset, space: SearchSpace, reference: Network, folder: Path) -> None:
    progress = context.progress
    total = len({id(o) for s in range(len(space.stages)) for o in space.stage_options(s)})
    progress.begin("library", "blocks distilled", total)

    def entry(state: LibraryProgress) -> None:
        progress.advance(state.done, f"noise/signal {state.nsr[-1]:.3f}")

    seed = derive_seed(context.experiment.seed, "library")
    library = build_library(
        reference, space, data, context.experiment.library, seed, folder, workers=context.workers, on_entry=entry
    )
    shutil.rmtree(folder / "features", ignore_errors=True)  # hundreds of MB that nothing reads any more
    progress.end(f"{total} options, noise/signal {_range(library)}")


def _range(library: Library) -> str:
    import numpy as np

    return f"{np.nanmin(library.nsr):.2f} to {np.nanmax(library.nsr):.2f}"
