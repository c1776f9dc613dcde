"""Stage 3: the reference, the space's largest network, trained with labels: DONNA's teacher."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tinynas.data.types import Dataset
from tinynas.distill.exchangeable import check_reference
from tinynas.errors import ConfigError
from tinynas.nets.checkpoint import load_network, save_network, spec_to_json
from tinynas.nets.network import Network, build_network
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.files import write_json
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.space.netspec import NetSpec
from tinynas.space.space import SearchSpace
from tinynas.train.supervised import Epoch, accuracy, train
from tinynas.worker import threads

_VERSION = 1


def train_reference(context: Context, data: Dataset, space: SearchSpace) -> Output:
    """The reference, in network.npz of the output: trained, or the user's own.

    Raises:
        ModelError: the user's checkpoint is missing or none of ours.
        ConfigError: it does not fit the space or the data.
    """
    if context.experiment.reference.checkpoint is not None:
        return _take(context, data, space, Path(context.experiment.reference.checkpoint))
    settings = {
        "network": json.loads(spec_to_json(space.netspec(space.largest()))),
        "reference": context.experiment.reference.training.model_dump(mode="json"),
        "data": data.sha256,
        "seed": context.experiment.seed,
    }
    key = StageKey("reference", _VERSION, settings)
    return context.stage(key, lambda folder: _train(context, data, space, folder))


def _take(context: Context, data: Dataset, space: SearchSpace, path: Path) -> Output:
    """The user's checkpoint as the stage's output."""
    network = load_network(path)
    check_own(network.spec, data, space, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    key = StageKey("reference", _VERSION, {"checkpoint": sha256, "data": data.sha256})

    def keep(folder: Path) -> None:
        context.progress.begin("reference", "your checkpoint judged", 1)
        score = accuracy(network, data.validation, hardware=context.experiment.hardware)
        save_network(folder / "network.npz", network)
        write_json(folder / "metrics.json", {"accuracy_validation": score})
        context.progress.end(f"{path.name}: validation accuracy {score:.1%}")

    return context.stage(key, keep)


def check_own(spec: NetSpec, data: Dataset, space: SearchSpace, path: Path) -> None:
    """Raise ConfigError, naming `path`, if the network in it cannot teach this space on this data."""
    try:
        check_reference(spec, space)
    except ConfigError as error:
        raise ConfigError(f"reference.checkpoint {path}: {error}; change [space] or train another reference") from error
    side, largest = spec.input_shape[0], data.input_shape[0]
    if spec.input_shape[0] != spec.input_shape[1] or side > largest:
        raise ConfigError(
            f"reference.checkpoint {path}: it takes {side} x {spec.input_shape[1]} pixels, the images are square and "
            f"have {largest}; set data.resolution to {side} or more"
        )


def load_reference(output: Output) -> Network:
    """The network of the stage's output."""
    return load_network(output.folder / "network.npz")


def _train(context: Context, data: Dataset, space: SearchSpace, folder: Path) -> None:
    config, hardware, progress = context.experiment.reference.training, context.experiment.hardware, context.progress
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
    context.meter.trained(1, config.epochs, config.epochs)
    checkpoint.unlink(missing_ok=True)
    progress.end(f"validation accuracy {score:.1%}")
