"""Stage 3: the reference, the space's largest network, trained with labels: DONNA's teacher."""

from __future__ import annotations

import json
from pathlib import Path

from tinynas.data.types import Dataset
from tinynas.nets.checkpoint import load_network, save_network, spec_to_json
from tinynas.nets.network import Network, build_network
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.files import write_json
from tinynas.pipeline.jobs import threads
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.space.space import SearchSpace
from tinynas.train.supervised import Epoch, accuracy, train

_VERSION = 1


def train_reference(context: Context, data: Dataset, space: SearchSpace) -> Output:
    """The trained reference, in network.npz of the output."""
    settings = {
        "network": json.loads(spec_to_json(space.netspec(space.largest()))),
        "reference": context.experiment.reference.model_dump(mode="json"),
        "data": data.sha256,
        "seed": context.experiment.seed,
    }
    key = StageKey("reference", _VERSION, settings)
    return context.stage(key, lambda folder: _train(context, data, space, folder))


def load_reference(output: Output) -> Network:
    """The network of the stage's output."""
    return load_network(output.folder / "network.npz")


def _train(context: Context, data: Dataset, space: SearchSpace, folder: Path) -> None:
    config, hardware, progress = context.experiment.reference, context.experiment.hardware, context.progress
    seed = derive_seed(context.experiment.seed, "reference")
    network = build_network(space.netspec(space.largest()), seed)
    checkpoint = folder / "checkpoint.npz"
    progress.begin("reference", "epochs", config.epochs)

    def epoch(state: Epoch) -> None:
        progress.advance(state.number, f"loss {state.loss:.3f}, {state.images_per_s:.0f} images/s")

    with threads(context.threads):
        train(network, data.train, config, seed, on_epoch=epoch, checkpoint=checkpoint, hardware=hardware)
    score = accuracy(network, data.validation, hardware=hardware)
    save_network(folder / "network.npz", network)
    write_json(folder / "metrics.json", {"accuracy_validation": score})
    checkpoint.unlink(missing_ok=True)
    progress.end(f"validation accuracy {score:.1%}")
