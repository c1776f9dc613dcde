"""Once-for-All, stage 2: the supernet, trained by progressive shrinking; no board plays a part."""

from __future__ import annotations

from pathlib import Path

from tinynas.data.types import Dataset
from tinynas.nets.checkpoint import save_network
from tinynas.nets.elastic import ElasticNetwork, load_supernet
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.files import write_json
from tinynas.pipeline.stage_store import Output, StageKey
from tinynas.space.elastic import ElasticSpace
from tinynas.train.shrinking_config import phases
from tinynas.train.shrinking_job import Row, SupernetJob, read_rows
from tinynas.train.shrinking_subnets import Subnets, norm_images
from tinynas.worker import threads

_VERSION = 1


def elastic_space(context: Context, data: Dataset) -> ElasticSpace:
    """The space of the experiment's supernet, for this data."""
    space = context.experiment.space.with_changes(channels=data.input_shape[2], classes=len(data.classes))
    return ElasticSpace.of(space)


def train_supernet(context: Context, data: Dataset, space: ElasticSpace) -> Output:
    """supernet.npz; its largest subnet as network.npz with metrics.json; epochs.jsonl."""
    config = context.experiment.ofa
    settings = {
        "space": space.model_dump(mode="json"),
        "training": config.training.model_dump(mode="json"),
        "half": config.half,
        "processes": config.processes,
        "norm_images": config.norm_images,
        "data": data.sha256,
        "seed": context.experiment.seed,
    }
    return context.stage(StageKey("supernet", _VERSION, settings), lambda folder: _train(context, data, space, folder))


def open_subnets(context: Context, data: Dataset, output: Output) -> Subnets:
    """The subnets of the stage's output."""
    return _subnets(context, data, load_supernet(output.folder / "supernet.npz"))


def _subnets(context: Context, data: Dataset, supernet: ElasticNetwork) -> Subnets:
    seed = derive_seed(context.experiment.seed, "norm")
    images = norm_images(data.train, context.experiment.ofa.norm_images, seed)
    return Subnets(supernet, images, context.experiment.hardware)


def _train(context: Context, data: Dataset, space: ElasticSpace, folder: Path) -> None:
    config, progress = context.experiment.ofa, context.progress
    job = SupernetJob(
        space=space,
        data=context.experiment.data,
        training=config.training,
        hardware=context.experiment.hardware,
        seed=derive_seed(context.experiment.seed, "supernet"),
        half=config.half,
        threads=max(1, context.threads // config.processes),
    )
    progress.begin("supernet", "epochs", sum(phase.config.epochs for phase in phases(space, config.training)))

    def epoch(row: Row) -> None:
        progress.advance(row["number"], f"{row['phase']}, loss {row['loss']:.3f}, {row['images_per_s']:.0f} images/s")

    if config.processes == 1:
        with threads(context.threads):
            job.run(folder, epoch)
    else:
        job.run_in(config.processes, folder, epoch)
    progress.end(_finish(context, data, space, folder))


def _finish(context: Context, data: Dataset, space: ElasticSpace, folder: Path) -> str:
    """Judge the extremes, write what later stages and the summary need; returns a line for the user."""
    path = folder / "supernet.npz"
    subnets = _subnets(context, data, load_supernet(path))
    largest = subnets.network(space.netspec(space.largest()))
    save_network(folder / "network.npz", largest)
    scores = {
        "accuracy_validation": subnets.accuracy_of(largest, data.validation),
        "accuracy_validation_smallest": subnets.accuracy(space.netspec(space.smallest()), data.validation),
    }
    rows = read_rows(folder / "epochs.jsonl")
    spent = {name: round(sum(row[name] for row in rows), 1) for name in ("seconds", "cpu_seconds")}
    sizes = {"bytes": path.stat().st_size, "subnets": space.size, "epochs": len(rows)}
    write_json(folder / "metrics.json", {**scores, **spent, **sizes})
    parts = phases(space, context.experiment.ofa.training)
    context.meter.trained(1, sum(part.config.epochs * part.config.subnets for part in parts))
    (folder / "checkpoint.npz").unlink(missing_ok=True)
    ends = f"{scores['accuracy_validation_smallest']:.1%} (smallest) to {scores['accuracy_validation']:.1%} (largest)"
    return f"{space.size:.3g} subnets in {sizes['bytes']:,} bytes; validation accuracy {ends}"
